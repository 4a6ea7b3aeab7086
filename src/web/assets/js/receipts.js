// My receipts: looks again while something is being read, and keeps what is ticked.

import { t } from "./common.js";
import { pickers } from "./picker.js";

/** Milliseconds between looks while something moves, and otherwise. */
const MOVING_MS = 2500;
const RESTING_MS = 30_000;

const ticks = () => [...document.querySelectorAll('#live input[name="id"]')];
const chosen = () => ticks().filter((tick) => tick.checked);

function count() {
  const place = document.getElementById("chosen");
  if (place) place.textContent = chosen().length ? t("js.chosen", chosen().length) : "";
  const all = document.getElementById("all");
  if (all) {
    all.checked = ticks().length > 0 && chosen().length === ticks().length;
    all.indeterminate = chosen().length > 0 && !all.checked;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.id === "all") for (const tick of ticks()) tick.checked = event.target.checked;
  if (event.target.closest("#live")) count();
});
document.addEventListener("submit", (event) => {
  if (event.target.id === "bulk" && chosen().length === 0) {
    event.preventDefault();
    document.getElementById("chosen").textContent = t("js.visits_needed");
  }
});

/** Whether a control of the list has the focus or a password is half typed. */
function isHeld(live) {
  if (live.contains(document.activeElement) && document.activeElement.matches("select, button, a, input")) return true;
  return [...live.querySelectorAll('input[type="password"]')].some((input) => input.value);
}

async function look() {
  const live = document.getElementById("live");
  // Never under someone's hands, nor in a page nobody sees.
  if (!document.hidden && !isHeld(live)) {
    try {
      const response = await fetch(location.href, { credentials: "same-origin", headers: { accept: "text/html" } });
      const page = response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
      const fresh = page?.getElementById("live");
      // Somebody may have begun to type while the answer was on its way.
      if (fresh && !isHeld(live)) {
        const kept = new Set(chosen().map((tick) => tick.value));
        const visit = live.querySelector('select[name="visit"]')?.value;
        live.replaceWith(document.adoptNode(fresh));
        for (const tick of ticks()) tick.checked = kept.has(tick.value);
        const select = fresh.querySelector('select[name="visit"]');
        if (select && visit) select.value = visit;
        pickers(fresh);
        const filters = page.querySelector(".filters");
        if (filters) document.querySelector(".filters")?.replaceWith(document.adoptNode(filters));
        count();
      }
    } catch {
      // Away for a moment; what is shown stays.
    }
  }
  plan();
}

function plan() {
  setTimeout(look, document.getElementById("live").dataset.moving === "true" ? MOVING_MS : RESTING_MS);
}

pickers();
plan();
count();
