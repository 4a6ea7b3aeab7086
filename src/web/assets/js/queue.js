// Review queue: Enter begins, / searches, j and k walk the rows.

import { isComposing } from "./common.js";
import { tell } from "./decided.js";

const rows = () => [...document.querySelectorAll(".queue .cover")];

document.addEventListener("keydown", (event) => {
  if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const at = rows().indexOf(document.activeElement);
  if (event.key === "/") document.getElementById("text").focus();
  else if (event.key === "j") rows()[Math.min(at + 1, rows().length - 1)]?.focus();
  else if (event.key === "k") rows()[Math.max(at - 1, 0)]?.focus();
  else if (event.key === "u") document.getElementById("decided-link")?.click();
  else if (event.key === "Enter" && document.activeElement === document.body) document.getElementById("begin")?.click();
  else return;
  event.preventDefault();
});
// A changed filter applies at once.
for (const select of document.querySelectorAll(".filter-form select")) select.addEventListener("change", () => select.form.requestSubmit());
tell(document.getElementById("decided"));
