// What every page's script needs: words, calls to the API, and a mark that scripts run.

document.documentElement.classList.add("scripted");

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const words = JSON.parse(meta("words") || "{}");

/** The text of `key` with {0} and {1} filled in. */
export function t(key, ...values) {
  const text = words[key] ?? key;
  return text.replace(/\{(\d)\}/g, (_, index) => values[index] ?? "");
}

/** `table.code` if there is such a word, else `fallback`. */
export const word = (table, code, fallback = code) => words[`${table}.${code}`] ?? fallback;

export const csrf = meta("csrf");

/** A problem+json body in the page's language. */
export function problemText(problem) {
  const text = word("error", problem?.code, "") || word("reason", problem?.code, "") || problem?.detail || t("js.failed");
  const fields = problem?.extra?.fields?.map((key) => word("field", key)).join(", ");
  return text.replace("{0}", fields ?? problem?.detail ?? "");
}

/** A failed call: `status` 0 means that no answer came. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(status === 0 ? t("js.offline") : problemText(problem));
    this.status = status;
    this.problem = problem;
  }
}

/** Calls the JSON API and returns the parsed body; throws ApiError. */
export async function api(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: { accept: "application/json", "x-csrf-token": csrf, ...(body ? { "content-type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
  } catch {
    throw new ApiError(0, null);
  }
  const text = await response.text();
  let parsed = null;
  try {
    parsed = text ? JSON.parse(text) : null;
  } catch {
    // A proxy's HTML error page; the status says enough.
  }
  if (!response.ok) throw new ApiError(response.status, parsed);
  return parsed;
}

/** An element with attributes and children; text is never parsed as HTML. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** `1234567.5` → `1,234,567.5`; other text unchanged. */
export function grouped(amount) {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(amount ?? "");
  return match ? `${match[1]}${match[2].replace(/\B(?=(\d{3})+$)/g, ",")}${match[3] ?? ""}` : (amount ?? "");
}

/**
 * Whether a key belongs to an input method: its Enter ends a composition, and never confirms, sends or goes on. Safari
 * reports that Enter after the composition, with the code 229 (UI Events, section 5.3) as the only sign.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

// One open menu at a time, closed by Escape or a click elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.decide[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || isComposing(event)) return;
  for (const menu of document.querySelectorAll("details.menu[open], details.decide[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
