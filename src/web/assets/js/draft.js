// The draft page: keys, values, saving and deciding. The picture is viewer.js, tidying typed text is tidy.js.

import { ApiError, api, element, grouped, isComposing, t, word } from "./common.js";
import { remember, tell } from "./decided.js";
import { pickers } from "./picker.js";
import { dateWords, tidy } from "./tidy.js";
import { Viewer } from "./viewer.js";

const form = document.getElementById("draft-form");
const messages = document.getElementById("messages");
const saved = document.getElementById("saved");
// On a phone the bar has no room for it: there it stands over the buttons, and nothing moves when it speaks.
if (matchMedia("(max-width: 899px)").matches) form.querySelector(".actions").prepend(saved);
const rows = [...form.querySelectorAll(".f")];
pickers(form);
const viewer = new Viewer(document.getElementById("viewer"), (key) => enter(rowOf(key)));
let current = null;
let busy = false;

const rowOf = (key) => document.getElementById(`row-${key}`);
/** What holds the field's value. */
const control = (row) => row?.querySelector("select, input:not([role=combobox])");
/** What one types the field into. */
const typed = (row) => row?.querySelector("[role=combobox]") ?? control(row);
const enter = (row) => typed(row)?.focus();
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
  for (const part of [input, typed(row)]) part.removeAttribute("aria-invalid");
  row.querySelector(".asked")?.remove();
  const day = row.querySelector("[data-day]");
  if (day) day.textContent = dateWords(input.value, document.documentElement.lang);
  saved.textContent = edited().length ? t("js.unsaved") : "";
}

function set(row, value) {
  control(row).value = value;
  if (control(row).tagName === "SELECT") control(row).dispatchEvent(new Event("change"));
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
  for (const part of new Set([input, typed(row)])) {
    part.addEventListener("focus", () => { select(row); if (part.select && !part.readOnly) part.select(); });
  }
  input.addEventListener("input", () => refresh(row));
  // Picking is taking: the next Enter confirms.
  if (typed(row) !== input) input.addEventListener("change", () => { row.dataset.taken = input.value; });
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
  const doubtful = rows.filter((row) => !isEdited(row) && (["low", "mid"].includes(row.dataset.level) || (row.dataset.level === "empty" && row.dataset.required)));
  const candidates = doubtful.length ? doubtful : rows;
  const at = rows.indexOf(current);
  return candidates.find((row) => rows.indexOf(row) > at) ?? candidates[0];
}

// --- saving and deciding

function say(...content) {
  messages.querySelector('[data-testid="draft-message"]')?.remove();
  messages.prepend(element("div", { class: "notice bad", role: "alert", "data-testid": "draft-message" }, element("p", {}, ...content)));
  messages.scrollIntoView({ block: "nearest" });
}

/** Says beside a field why it is asked for, and goes there. */
function ask(row, text) {
  row.querySelector(".asked")?.remove();
  const words = element("p", { class: "why asked", role: "alert", "data-testid": `asked-${row.dataset.field}` }, text);
  row.querySelector(".f-head").after(words);
  for (const part of [control(row), typed(row)]) part.setAttribute("aria-invalid", "true");
  enter(row);
  if (typed(row) === control(row)) return;
  // A list to choose from opens with it, and does not lie over the words.
  typed(row).click();
  if (row.querySelector(".picker > ul.up")) row.querySelector(".picker").after(words);
}

/** Goes to the first field the act cannot do without, saying so; whether there is one. */
function lacks(name) {
  const needed = { submit: ["submit"], confirm: ["submit", "confirm"] }[name] ?? [];
  const empty = rows.filter((row) => needed.includes(row.dataset.required) && !control(row).value.trim());
  if (empty.length === 0) return false;
  const others = empty.filter((row) => row.dataset.field !== "visit");
  const missing = word("error", "fields_missing").replace("{0}", others.map((row) => word("field", row.dataset.field)).join(", "));
  ask(empty[0], empty[0].dataset.field === "visit" ? word("error", "visit_undecided") : missing);
  return true;
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
    if (row.dataset.field === "visit") document.querySelector('.flag[data-flag="no_visit"]')?.remove();
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
  if (lacks(name)) return;
  busy = true;
  // A button that is switched off loses the focus; it is given back.
  const held = document.activeElement;
  for (const button of form.querySelectorAll("[data-act]")) button.disabled = true;
  saved.textContent = t("js.saving");
  try {
    if (canEdit() && name !== "withdraw") await save();
    if (name === "save") { saved.textContent = t("js.saved"); return; }
    await api("POST", `${path}/${name}`, { revision: Number(form.dataset.revision), ...(["return", "reject"].includes(name) ? { reason } : {}) });
    leaving = true;
    const isDecided = ["confirm", "return", "reject"].includes(name);
    if (isDecided) remember(name, document.getElementById("title-merchant").textContent, `${location.pathname}${location.search}`);
    location.assign(isDecided ? form.dataset.after : location.href);
  } catch (error) {
    saved.textContent = "";
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 409) await conflict(error);
    else { say(error.message); mark(error.problem); }
  } finally {
    busy = false;
    for (const button of form.querySelectorAll("[data-act]")) button.disabled = false;
    if (held?.isConnected && (document.activeElement === document.body || document.activeElement === null)) held.focus();
  }
}

/** Marks the field a problem names. */
function mark(problem) {
  const code = { visit_undecided: "visit", unknown_visit: "visit", unknown_category: "category" }[problem?.code];
  // A refused value is named in backticks: "`total` cannot be …".
  const key = code ?? problem?.extra?.fields?.[0] ?? /`(\w+)`/.exec(problem?.detail ?? "")?.[1];
  const row = key ? rowOf(key) : null;
  if (row) { for (const part of [control(row), typed(row)]) part.setAttribute("aria-invalid", "true"); enter(row); }
}

async function conflict(error) {
  let state = error.problem?.extra?.state ?? "";
  try {
    state = (await api("GET", path)).state;
  } catch {
    // What the problem said must do.
  }
  const mine = edited().map((row) => `${row.querySelector("label").textContent.replace("*", "")}: ${typed(row).value || "–"}`).join(", ");
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
  if (help.open || isComposing(event)) return;
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
    const value = row && control(row).value;
    if (row && isEdited(row) && row.dataset.taken !== value) {
      control(row).dispatchEvent(new Event("change"));
      row.dataset.taken = control(row).value;
      enter(rows[rows.indexOf(row) + 1]);
    } else act(primary() ?? "save");
  } else if (typing && event.key === "Escape") {
    target.blur();
  } else if (typing || target.closest(".sheet") || (target.closest("summary") && ["Enter", " "].includes(event.key))) {
    // Enter and the space bar open and close what is folded; after Escape the other keys work from there.
    return;
  } else if (event.key === "Enter" && !target.closest("a, button")) {
    if (primary()) act(primary());
  } else if (event.key === "e") {
    enter(nextDoubtful());
  } else if (event.key === "j") document.getElementById("next")?.click();
  else if (event.key === "k") document.getElementById("previous")?.click();
  else if (event.key === "u") document.getElementById("decided-link")?.click();
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

// What a reviewer looks at first: the first doubtful one of the fields every expense needs, else the total. Another
// doubtful field may stand further down than the page shows, and a mark on the picture alone says nothing.
const first = ["low", "mid"].map((level) => rows.find((row) => row.dataset.level === level && row.dataset.required && row.dataset.place)).find(Boolean) ?? rowOf("total");
if (first) select(first);
tell(saved);
// The next picture is in the cache before it is asked for.
if (form.dataset.nextPreview) new Image().src = form.dataset.nextPreview;
