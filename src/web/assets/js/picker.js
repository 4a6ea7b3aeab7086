// A select one can type into: the same choices, found by part of their words or their pinyin. The select stays and holds
// the value, so that forms and pages without scripts know nothing of this.

import { element, isComposing, t } from "./common.js";
import { finds } from "./names.js";

/** On a touch screen the system's own list is better, as long as it can be looked through. */
const FEW = 12;
/** Choices drawn at once; what is typed narrows them. */
const MAX_SHOWN = 50;
/** The list's height in CSS pixels, as in base.css: where there is less room below than above, it opens upwards. */
const LIST_PX = 260;

export class Picker {
  constructor(select) {
    this.select = select;
    const id = `${select.id || select.name}-typed`;
    this.list = element("ul", { id: `${id}-list`, role: "listbox", hidden: true });
    this.input = element("input", {
      id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: "100", "aria-expanded": "false",
      "aria-autocomplete": "list", "aria-controls": this.list.id, "data-testid": `${select.dataset.testid ?? select.name}-typed`,
    });
    const describedBy = select.getAttribute("aria-describedby");
    if (describedBy) this.input.setAttribute("aria-describedby", describedBy);
    const label = select.labels[0];
    if (label?.htmlFor) label.htmlFor = id;
    this.root = element("span", { class: "picker" });
    select.before(this.root);
    this.root.append(this.input, this.list, select);
    select.classList.add("visually-hidden");
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    select.addEventListener("change", () => this.sync());
    // Coming back, a browser puts the value of before into the select without saying so.
    window.addEventListener("pageshow", () => this.sync());
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("input", () => this.open(this.input.value, true));
    this.input.addEventListener("click", () => { if (this.list.hidden) this.open(""); });
    this.input.addEventListener("blur", () => { this.close(); this.sync(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    // Not on the press itself: that would take the focus. A label around it must not press the input in turn.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      event.preventDefault();
      const choice = event.target.closest("[role=option]");
      if (choice) this.pick(choice);
    });
    this.sync();
  }

  /** Shows the value the select has. */
  sync() {
    const label = this.select.selectedOptions[0]?.label ?? "";
    this.input.value = label;
    // A name that is longer than the field can be read all the same.
    this.input.title = label;
  }

  /** Opens the list with what fits `typed`; `isTyped` marks the first of them for Enter. */
  open(typed, isTyped = false) {
    const fitting = [...this.select.options].filter((option) => finds(typed, option.label)).slice(0, MAX_SHOWN);
    this.list.replaceChildren(...fitting.map((option, at) => element("li", {
      id: `${this.list.id}-${at}`, role: "option", "data-value": option.value, "aria-selected": "false",
      class: option.value === this.select.value ? "chosen" : null,
    }, option.label)));
    if (fitting.length === 0) this.list.append(element("li", { class: "none" }, t("js.none_found")));
    const place = this.input.getBoundingClientRect();
    this.list.classList.toggle("up", innerHeight - place.bottom < LIST_PX && place.top > innerHeight - place.bottom);
    this.list.classList.toggle("left", place.left + place.width / 2 > innerWidth / 2);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(isTyped && typed.trim() && fitting.length ? this.list.firstElementChild : null);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.mark(null);
  }

  get marked() {
    return this.list.querySelector('[aria-selected="true"]');
  }

  mark(choice) {
    this.marked?.setAttribute("aria-selected", "false");
    choice?.setAttribute("aria-selected", "true");
    if (choice) this.input.setAttribute("aria-activedescendant", choice.id);
    else this.input.removeAttribute("aria-activedescendant");
    choice?.scrollIntoView({ block: "nearest" });
  }

  move(step) {
    if (this.list.hidden) this.open("");
    const choices = [...this.list.querySelectorAll("[role=option]")];
    const from = this.marked ?? this.list.querySelector(".chosen");
    const at = from ? choices.indexOf(from) : -1;
    this.mark(choices[Math.min(Math.max(at + step, 0), choices.length - 1)] ?? null);
  }

  pick(choice) {
    this.select.value = choice.dataset.value;
    this.close();
    this.sync();
    this.input.select();
    for (const kind of ["input", "change"]) this.select.dispatchEvent(new Event(kind, { bubbles: true }));
  }

  key(event) {
    // An Enter or an arrow that belongs to an input method chooses characters.
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = !this.list.hidden;
    if (event.key === "ArrowDown") this.move(1);
    else if (event.key === "ArrowUp") this.move(-1);
    else if (event.key === "Enter" && isOpen && this.marked) this.pick(this.marked);
    // Typed and nothing fits: nothing is taken, and nothing is confirmed either.
    else if (event.key === "Enter" && isOpen && this.list.querySelector(".none")) this.input.select();
    else if (event.key === "Escape" && isOpen) { this.close(); this.sync(); this.input.select(); }
    else {
      // What was found by typing is taken along on the way out.
      if (event.key === "Tab" && isOpen && this.marked) this.pick(this.marked);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Makes the selects under `root` that ask for it ones to type into. */
export function pickers(root = document) {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  for (const select of root.querySelectorAll("select[data-pick]:not(:disabled)")) {
    if (!select.closest(".picker") && !(isTouch && select.options.length <= FEW)) new Picker(select);
  }
}
