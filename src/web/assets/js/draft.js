// The draft page: keys, values, saving and deciding. The picture is viewer.js, tidying typed text is tidy.js.

import { ApiError, api, element, grouped, t, word } from "./common.js";
import { dateWords, tidy } from "./tidy.js";
import { Viewer } from "./viewer.js";

const form = document.getElementById("draft-form");
const messages = document.getElementById("messages");
const saved = document.getElementById("saved");
const rows = [...form.querySelectorAll(".f")];
const viewer = new Viewer(document.getElementById("viewer"), (key) => control(rowOf(key))?.focus());
let current = null;
let busy = false;

const rowOf = (key) => document.getElementById(`row-${key}`);
const control = (row) => row?.querySelector("input, select");
const isEdited = (row) => control(row).value !== control(row).dataset.initial;
const edited = () => rows.filter(isEdited);
const canEdit = () => form.querySelector('[data-act="save"]') !== null;

function select(row) {
  if (current === row) return;
  current?.classList.remove("current");
  current = row;
  row?.classList.add("current");
  viewer.show(row?.dataset.field);
}

function refresh(row) {
  const input = control(row);
  row.classList.toggle("edited", isEdited(row));
  input.removeAttribute("aria-invalid");
  const day = row.querySelector("[data-day]");
  if (day) day.textContent = dateWords(input.value, document.documentElement.lang);
  saved.textContent = edited().length ? t("js.unsaved") : "";
}

function set(row, value) {
  control(row).value = value;
  refresh(row);
}

/** Moves the box and the cut-out to where the value was seen; a value seen nowhere has neither. */
function point(row) {
  const value = control(row).value;
  const chip = [...row.querySelectorAll(".chip")].find((candidate) => candidate.dataset.value === value);
  const place = value === control(row).dataset.initial ? row.dataset.place : (chip?.dataset.place ?? "");
  viewer.place(row.dataset.field, place, row.querySelector(".snippet"));
  row.querySelector(".seen")?.classList.toggle("stale", !place);
  if (row === current) viewer.show(row.dataset.field);
}

for (const row of rows) {
  const input = control(row);
  input.addEventListener("focus", () => { select(row); if (input.select && !input.readOnly) input.select(); });
  input.addEventListener("input", () => refresh(row));
  input.addEventListener("change", () => { if (input.tagName === "INPUT") input.value = tidy(row.dataset.kind, input.value); refresh(row); point(row); });
  row.addEventListener("pointerenter", () => viewer.hint(row.dataset.field));
  row.addEventListener("pointerleave", () => viewer.hint(current?.dataset.field));
}
form.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (chip?.dataset.value !== undefined) { const row = chip.closest(".f"); set(row, chip.dataset.value); select(row); point(row); }
  if (chip?.dataset.reason) form.reason.value = chip.dataset.reason;
});

/** The next field, after the current one, that is not certain or not filled; from the top when there is none below. */
function nextDoubtful() {
  const doubtful = rows.filter((row) => !isEdited(row) && (["low", "mid"].includes(row.dataset.level) || (row.dataset.level === "empty" && row.dataset.required === "true")));
  const candidates = doubtful.length ? doubtful : rows;
  const at = rows.indexOf(current);
  return candidates.find((row) => rows.indexOf(row) > at) ?? candidates[0];
}

// --- saving and deciding

function say(...content) {
  messages.replaceChildren(element("div", { class: "notice bad", role: "alert", "data-testid": "draft-message" }, element("p", {}, ...content)));
  messages.scrollIntoView({ block: "nearest" });
}

const path = `/api/v1/drafts/${encodeURIComponent(form.dataset.id)}`;

async function save() {
  for (const row of rows) if (control(row).tagName === "INPUT") control(row).value = tidy(row.dataset.kind, control(row).value);
  const changes = edited();
  if (changes.length === 0) return;
  const body = { revision: Number(form.dataset.revision), fields: {} };
  for (const row of changes) {
    const value = control(row).value.trim();
    if (row.dataset.field === "visit") { body.visit_id = value && value !== "none" ? value : null; body.no_visit = value === "none"; }
    else body.fields[row.dataset.field] = value || null;
  }
  const draft = await api("PATCH", path, body);
  adopt(draft.revision);
  for (const row of changes) {
    const before = control(row).dataset.initial;
    const chip = [...row.querySelectorAll(".chip")].find((candidate) => candidate.dataset.value === control(row).value);
    const oldPlace = row.dataset.place;
    row.dataset.place = chip?.dataset.place ?? "";
    control(row).dataset.initial = control(row).value;
    row.classList.remove("edited", "low", "mid", "high", "empty");
    row.classList.add("decided");
    row.dataset.level = "decided";
    row.querySelector(".f-sure")?.replaceChildren(element("span", { class: "by" }, `\u2713 ${t("js.you")}`));
    const more = row.querySelector(".f-more");
    more?.querySelector(".reasons")?.remove();
    if (more && before && !more.querySelector(".was")) more.append(element("span", { class: "was" }, `${t("js.was")} `, element("button", { type: "button", class: "chip", "data-value": before, "data-place": oldPlace ?? "" }, element("del", {}, row.dataset.kind === "amount" ? grouped(before) : before))));
  }
  const value = (key) => control(rowOf(key))?.value ?? "";
  if (value("merchant")) document.getElementById("title-merchant").textContent = value("merchant");
  if (value("total")) document.getElementById("title-money").textContent = `${value("currency")} ${grouped(value("total"))}`.trim();
  saved.textContent = t("js.saved");
}

function adopt(revision) {
  form.dataset.revision = revision;
  form.revision.value = revision;
}

async function act(name) {
  if (busy) return;
  const reason = form.reason?.value.trim() ?? "";
  if (["return", "reject"].includes(name) && !reason) {
    decide(name);
    form.reason.setAttribute("placeholder", t("js.reason_needed"));
    return;
  }
  busy = true;
  for (const button of form.querySelectorAll("[data-act]")) button.disabled = true;
  saved.textContent = t("js.saving");
  try {
    if (canEdit() && name !== "withdraw") await save();
    if (name === "save") { saved.textContent = t("js.saved"); return; }
    await api("POST", `${path}/${name}`, { revision: Number(form.dataset.revision), ...(["return", "reject"].includes(name) ? { reason } : {}) });
    leaving = true;
    location.assign(["confirm", "return", "reject"].includes(name) ? form.dataset.after : location.href);
  } catch (error) {
    saved.textContent = "";
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 409) await conflict(error);
    else { say(error.message); mark(error.problem); }
  } finally {
    busy = false;
    for (const button of form.querySelectorAll("[data-act]")) button.disabled = false;
  }
}

/** Marks the field a problem names. */
function mark(problem) {
  const code = { visit_undecided: "visit", unknown_visit: "visit", unknown_category: "category" }[problem?.code];
  // A refused value is named in backticks: "`total` cannot be …".
  const key = code ?? problem?.extra?.fields?.[0] ?? /`(\w+)`/.exec(problem?.detail ?? "")?.[1];
  const row = key ? rowOf(key) : null;
  if (row) { control(row).setAttribute("aria-invalid", "true"); control(row).focus(); }
}

async function conflict(error) {
  let state = error.problem?.extra?.state ?? "";
  try {
    state = (await api("GET", path)).state;
  } catch {
    // What the problem said must do.
  }
  const mine = edited().map((row) => `${row.querySelector("label").textContent.replace("*", "")}: ${control(row).value || "–"}`).join(", ");
  say(state ? t("js.conflict", word("state", state)) : error.message, " ",
    element("a", { href: location.href, "data-testid": "draft-reload", onclick: () => { leaving = true; } }, t("js.reload")),
    ...(mine ? [element("br"), t("js.yours", mine)] : []));
}

function decide(which) {
  const details = document.getElementById("decide");
  if (!details) return;
  details.open = true;
  details.dataset.which = which;
  form.reason.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter?.value ?? "save");
});

let leaving = false;
window.addEventListener("beforeunload", (event) => { if (!leaving && edited().length) event.preventDefault(); });

// --- keys

const primary = () => form.querySelector('[data-act="confirm"], [data-act="submit"]')?.dataset.act;

document.addEventListener("keydown", (event) => {
  const help = document.getElementById("help");
  if (help.open) return;
  // A held or doubled Enter must not confirm a draft nobody has seen.
  if (event.key === "Enter" && (event.repeat || !ready) && event.target.id !== "reason") { event.preventDefault(); return; }
  const target = event.target;
  const typing = target.matches("input, textarea, select");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    if (target.id === "reason") act(document.getElementById("decide").dataset.which ?? "return");
    else if (primary()) act(primary());
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    if (canEdit()) act("save");
  } else if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    // Where a reason is written the same keys choose one.
    const chip = (target.closest(".sheet") ?? current)?.querySelectorAll(".chip")[Number(event.code.slice(5)) - 1];
    if (chip?.dataset.reason) form.reason.value = chip.dataset.reason;
    else if (chip) { set(current, chip.dataset.value); point(current); }
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (typing && event.key === "Enter" && target.id !== "reason") {
    // In a field just changed Enter takes the value and goes on; only in an untouched one it confirms.
    const row = target.closest(".f");
    if (row && isEdited(row) && row.dataset.taken !== target.value) {
      target.dispatchEvent(new Event("change"));
      row.dataset.taken = target.value;
      control(rows[rows.indexOf(row) + 1])?.focus();
    } else act(primary() ?? "save");
  } else if (typing && event.key === "Escape") {
    target.blur();
  } else if (typing || target.closest(".sheet") || (target.closest("summary") && ["Enter", " "].includes(event.key))) {
    // Enter and the space bar open and close what is folded; after Escape the other keys work from there.
    return;
  } else if (event.key === "Enter" && !target.closest("a, button")) {
    if (primary()) act(primary());
  } else if (event.key === "e") {
    control(nextDoubtful())?.focus();
  } else if (event.key === "j") document.getElementById("next")?.click();
  else if (event.key === "k") document.getElementById("previous")?.click();
  else if (event.key === "r") decide("return");
  else if (event.key === "x") decide("reject");
  else if (event.key === "?") help.showModal();
  else if (event.key === "+" || event.key === "=") viewer.zoomBy(1.25);
  else if (event.key === "-") viewer.zoomBy(0.8);
  else if (event.key === "0") viewer.fit();
  else return;
  event.preventDefault();
});
document.getElementById("help-open").addEventListener("click", () => document.getElementById("help").showModal());

// Keys confirm only once the picture can be seen, and not within a double press of the one before.
/** Milliseconds in which a second Enter still belongs to the draft before: a double press takes 100 to 300. */
const DOUBLE_PRESS_MS = 350;
let ready = false;
const picture = document.querySelector(".sheet-page img");
const seen = !picture || picture.complete ? Promise.resolve() : new Promise((resolve) => { picture.onload = resolve; picture.onerror = resolve; });
Promise.all([seen, new Promise((resolve) => setTimeout(resolve, DOUBLE_PRESS_MS))]).then(() => { ready = true; form.dataset.ready = "true"; });
// Coming back with the browser's button shows how the draft stands now, not how it was left.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// A line of what was bought shows where it stands; a click brings it into view.
for (const line of document.querySelectorAll("[data-item]")) {
  line.addEventListener("pointerenter", () => viewer.hint(line.dataset.item));
  line.addEventListener("pointerleave", () => viewer.hint(current?.dataset.field));
  line.addEventListener("click", () => viewer.show(line.dataset.item));
}

// What a reviewer looks at first: the first doubtful field, else the total.
const first = rows.find((row) => row.dataset.level === "low") ?? rows.find((row) => row.dataset.level === "mid") ?? rowOf("total");
if (first) select(first);
// The next picture is in the cache before it is asked for.
if (form.dataset.nextPreview) new Image().src = form.dataset.nextPreview;
