// Copies an address to the clipboard; without a clipboard (plain HTTP) it selects the address instead.

import { pickers } from "./picker.js";

pickers();
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = before; }, 2000);
    } catch {
      const code = button.closest("section, .mail-visit").querySelector("code");
      getSelection().selectAllChildren(code);
    }
  });
}
