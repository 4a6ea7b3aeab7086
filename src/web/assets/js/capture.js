// Capture: every picture is sent by itself, kept in the page until Vouch has stored it, and followed until it is read.

import { csrf, element, grouped, problemText, t, word } from "./common.js";
import { pickers } from "./picker.js";

const form = document.getElementById("capture-form");
const list = document.getElementById("uploads");
const maxBytes = Number(form.dataset.maxBytes);
/** Uploads at a time: more do not go faster over one mobile connection. */
const PARALLEL = 2;
/** Seconds before the next tries; the last one repeats. */
const BACKOFF = [2, 5, 15, 30, 60];
/** Milliseconds between looks at a capture, and how long to look before pointing to "My receipts". */
const POLL_MS = 1200;
const POLL_FOR_MS = 180_000;

const uploads = [];
let counter = 0;

pickers();
if (!window.isSecureContext) document.getElementById("insecure").hidden = false;

// crypto.randomUUID is missing on plain HTTP; getRandomValues is not.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const categoryName = (code) => document.querySelector(`#categories option[value="${CSS.escape(code ?? "")}"]`)?.label ?? code;

/** The phone's clock with its offset, as RFC 3339. */
function localTime(date) {
  const offset = -date.getTimezoneOffset();
  const pad = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${pad(offset / 60)}:${pad(offset % 60)}`;
}

function add(files) {
  for (const file of files) {
    counter += 1;
    const upload = {
      file, id: uuid(), state: "waiting", attempt: 0, capturedAt: localTime(new Date()),
      note: form.note.value, visit: form.visit.value, onBehalfOf: form.on_behalf_of?.value ?? "",
      name: file.name || t("js.picture", counter),
    };
    upload.preview = URL.createObjectURL(file);
    upload.row = row(upload);
    list.prepend(upload.row.item);
    uploads.push(upload);
    if (file.size > maxBytes) fail(upload, t("js.too_large", (file.size / 1_048_576).toFixed(0)), false);
  }
  document.getElementById("sent").hidden = uploads.length === 0;
  form.note.value = "";
  pump();
}

function row(upload) {
  const picture = element("img", { class: "thumb", alt: "", width: 64, height: 72, src: upload.preview });
  picture.addEventListener("error", () => picture.replaceWith(element("span", { class: "thumb" })), { once: true });
  const title = element("strong", {}, upload.name);
  const message = element("p", { class: "message" }, t("js.waiting"));
  const progress = element("progress", { max: 100, value: 0, "aria-label": upload.name });
  const acts = element("div", { class: "acts" });
  const item = element("li", { class: "upload", "data-testid": "upload" }, picture, element("div", { class: "what" }, title, message), acts, progress);
  return { item, title, message, progress, acts };
}

function show(upload, state, message) {
  upload.state = state;
  upload.row.item.className = `upload ${["stored", "read", "failed"].includes(state) ? "done" : ""} ${state}`;
  upload.row.item.dataset.state = state;
  upload.row.message.replaceChildren(message);
  upload.row.acts.replaceChildren();
}

function fail(upload, message, canRetry) {
  show(upload, "failed", message);
  if (canRetry) upload.row.acts.append(element("button", { type: "button", onclick: () => again(upload), "data-testid": "upload-retry" }, t("js.try_now")));
  upload.row.acts.append(element("button", { type: "button", class: "quiet", onclick: () => remove(upload) }, t("js.remove")));
}

function remove(upload) {
  upload.row.item.remove();
  URL.revokeObjectURL(upload.preview);
  uploads.splice(uploads.indexOf(upload), 1);
}

function again(upload) {
  clearTimeout(upload.timer);
  clearInterval(upload.ticker);
  show(upload, "waiting", t("js.waiting"));
  pump();
}

function pump() {
  const busy = uploads.filter((upload) => upload.state === "sending").length;
  for (const upload of uploads.filter((upload) => upload.state === "waiting").slice(0, PARALLEL - busy)) send(upload);
}

function send(upload) {
  show(upload, "sending", t("js.sending", 0));
  const body = new FormData();
  body.append("client_id", upload.id);
  body.append("captured_at", upload.capturedAt);
  if (upload.note) body.append("note", upload.note);
  if (upload.visit === "none") body.append("no_visit", "true");
  else if (upload.visit) body.append("visit_id", upload.visit);
  if (upload.onBehalfOf) body.append("on_behalf_of", upload.onBehalfOf);
  // The file last: the server knows everything about it when its bytes arrive.
  body.append("file", upload.file, upload.name);
  // XMLHttpRequest because fetch reports no upload progress.
  const request = new XMLHttpRequest();
  request.open("POST", "/api/v1/receipts");
  request.setRequestHeader("accept", "application/json");
  request.setRequestHeader("x-csrf-token", csrf);
  // The same key on every try: a lost answer does not file the receipt twice.
  request.setRequestHeader("idempotency-key", upload.id);
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    const percent = Math.floor((event.loaded / event.total) * 100);
    upload.row.progress.value = percent;
    upload.row.message.textContent = t("js.sending", percent);
  });
  request.addEventListener("load", () => { answered(upload, request.status, request.response); pump(); });
  for (const kind of ["error", "timeout", "abort"]) request.addEventListener(kind, () => { retryLater(upload); pump(); });
  request.timeout = 300_000;
  request.send(body);
}

function answered(upload, status, body) {
  const result = body?.results?.[0];
  if (result?.capture) return stored(upload, result);
  const problem = result?.error ?? body;
  // Busy or broken for the moment: the picture stays here and is sent again.
  if (status >= 500 || status === 429 || status === 408) return retryLater(upload);
  fail(upload, problemText(problem), status === 401 || status === 403);
}

function retryLater(upload) {
  let seconds = BACKOFF[Math.min(upload.attempt, BACKOFF.length - 1)];
  upload.attempt += 1;
  show(upload, "retrying", t("js.retrying", seconds));
  upload.row.acts.append(element("button", { type: "button", onclick: () => again(upload), "data-testid": "upload-retry" }, t("js.try_now")));
  upload.ticker = setInterval(() => { seconds -= 1; upload.row.message.textContent = t("js.retrying", Math.max(seconds, 0)); }, 1000);
  upload.timer = setTimeout(() => again(upload), seconds * 1000);
}

function stored(upload, result) {
  // Durable on the other side: the copy in the page may go once the preview is not shown any more.
  show(upload, "stored", result.outcome === "already_here" ? t("js.already_here") : t("js.stored"));
  upload.file = null;
  follow(upload, result.capture, Date.now() + POLL_FOR_MS);
}

async function follow(upload, capture, until) {
  let current = capture;
  for (;;) {
    if (["failed", "password_needed", "quarantined"].includes(current.state)) {
      show(upload, "failed", word("reason", current.reason, word("state", current.state)));
      upload.row.acts.append(element("a", { class: "button", href: "/receipts" }, t("js.open")));
      return;
    }
    if (current.state === "read" && current.receipts?.length) return read(upload, current.receipts);
    // Read, but nothing on it that looks like a receipt: the list says what can be done.
    const isEmpty = current.state === "read" && Array.isArray(current.receipts);
    if (isEmpty || Date.now() > until) {
      upload.row.message.replaceChildren(element("a", { href: "/receipts" }, t("js.still_reading")));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    try {
      const response = await fetch(`/api/v1/captures/${encodeURIComponent(capture.id)}`, { credentials: "same-origin", headers: { accept: "application/json" } });
      if (response.ok) current = await response.json();
    } catch {
      // Away for a moment; the picture is safe, so just look again.
    }
  }
}

function read(upload, receipts) {
  const first = receipts[0];
  const already = upload.row.message.textContent === t("js.already_here");
  show(upload, "read", "");
  upload.row.title.textContent = first.merchant || t("js.merchant_unknown");
  const facts = [first.total ? `${first.currency ?? ""} ${grouped(first.total)}`.trim() : t("js.no_total"), first.issued_on, categoryName(first.category)];
  upload.row.message.append(element("span", { class: "amount", "data-testid": "upload-result" }, ...facts.filter(Boolean).map((fact) => element("span", {}, fact))));
  if (receipts.length > 1) upload.row.message.append(` +${receipts.length - 1}`);
  if (already) upload.row.message.append(element("br"), t("js.already_here"));
  upload.row.message.append(" ", element("span", { class: `badge ${first.state}` }, word("state", first.state)));
  upload.row.acts.append(element("a", { class: "button", href: `/drafts/${encodeURIComponent(first.id)}`, "data-testid": "upload-open" }, t("js.open")));
}

for (const id of ["camera", "files"]) {
  const input = document.getElementById(id);
  input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
}
form.addEventListener("submit", (event) => event.preventDefault());
const drop = document.getElementById("drop");
for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); if (kind === "drop" || !event.relatedTarget) drop.classList.remove("over"); });
document.addEventListener("drop", (event) => add([...event.dataTransfer.files]));
document.addEventListener("paste", (event) => { if (event.clipboardData.files.length) add([...event.clipboardData.files]); });
window.addEventListener("online", () => uploads.filter((upload) => upload.state === "retrying").forEach(again));
window.addEventListener("beforeunload", (event) => {
  if (uploads.some((upload) => ["waiting", "sending", "retrying"].includes(upload.state))) { event.preventDefault(); event.returnValue = t("js.leave"); }
});
