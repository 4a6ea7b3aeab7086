// What was decided last, told on the page that follows: the draft is gone from there, and so is any sign of it.

import { element, t, word } from "./common.js";

const KEY = "vouch.decided";
const STATES = { confirm: "confirmed", return: "returned", reject: "rejected" };

/** Remembers what became of the draft at `href` until the next page of this tab. */
export function remember(act, name, href) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ state: STATES[act], name, href }));
  } catch {
    // Without storage the next page just says nothing.
  }
}

/** Shows it in `place`, once, with the way back to it. */
export function tell(place) {
  let last = null;
  try {
    last = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing that can be read was remembered.
  }
  if (!last?.href?.startsWith("/drafts/")) return;
  place.hidden = false;
  place.replaceChildren(element("a", { href: last.href, id: "decided-link", "data-testid": "decided", "data-state": last.state }, t("js.decided", word("state", last.state), last.name)));
}
