// The picture: zoom by width, pan by scrolling or dragging, and bring a field's evidence into view.

import { t } from "./common.js";

const MAX_ZOOM = 8;
/** Height in CSS pixels at which print is read comfortably; smaller evidence is zoomed to it. */
const LEGIBLE_PX = 18;

/** Shows other print in a cut-out: the same arithmetic as `snippet` in html.rs. */
function cut(svg, [a, b, c, d]) {
  const width = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const height = Math.hypot(d[0] - a[0], d[1] - a[1]);
  const x = (a[0] + b[0] + c[0] + d[0]) / 4;
  const y = (a[1] + b[1] + c[1] + d[1]) / 4;
  const windowHeight = height * 1.5;
  const windowWidth = Math.min(Math.max(width + height * 1.5, windowHeight), windowHeight * 12);
  const turn = (-Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI;
  svg.setAttribute("viewBox", `${x - windowWidth / 2} ${y - windowHeight / 2} ${windowWidth} ${windowHeight}`);
  svg.querySelector("image").setAttribute("transform", `rotate(${turn} ${x} ${y})`);
  const mark = svg.querySelector(".mark");
  for (const [name, value] of Object.entries({ x: x - width / 2, y: y - height / 2, width, height })) mark.setAttribute(name, value);
}

export class Viewer {
  constructor(root, onPick) {
    this.stage = root.querySelector(".stage");
    this.sheets = root.querySelector(".sheets");
    this.label = root.querySelector("#zoom-now");
    this.zoom = 1;
    root.addEventListener("click", (event) => {
      const step = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (step === "in") this.zoomBy(1.25);
      if (step === "out") this.zoomBy(0.8);
      if (step === "fit") this.fit();
      const box = event.target.closest("[data-box]");
      if (box) onPick(box.dataset.box);
    });
    this.stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, event);
    }, { passive: false });
    this.stage.addEventListener("dblclick", (event) => (this.zoom > this.fitZoom() * 1.05 ? this.fit() : this.zoomBy(2.5, event)));
    this.drag();
    new ResizeObserver(() => { if (!this.moved) this.fit(); }).observe(this.stage);
    this.fit();
  }

  /** Width of the sheets in stage widths so that the first page is seen whole. */
  fitZoom() {
    const page = this.sheets.querySelector(".sheet-page");
    if (!page || !this.stage.clientWidth) return 1;
    // On a phone the strip is low: the page's full width is worth more than its full height.
    if (matchMedia("(max-width: 899px)").matches) return 1;
    const height = (this.stage.clientWidth * Number(page.dataset.height)) / Number(page.dataset.width);
    return Math.min(1, this.stage.clientHeight / height);
  }

  fit() {
    this.moved = false;
    this.apply(this.fitZoom());
  }

  apply(zoom) {
    this.zoom = Math.min(Math.max(zoom, 0.1), MAX_ZOOM);
    this.sheets.style.width = `${this.zoom * 100}%`;
    if (this.label) this.label.textContent = t("js.zoom", Math.round((this.zoom / this.fitZoom()) * 100));
  }

  /** Zooms and keeps the point under the pointer, or the middle, where it is. */
  zoomBy(factor, at) {
    const bounds = this.stage.getBoundingClientRect();
    const x = at ? at.clientX - bounds.left : bounds.width / 2;
    const y = at ? at.clientY - bounds.top : bounds.height / 2;
    const before = this.sheets.getBoundingClientRect();
    const rx = (x + bounds.left - before.left) / before.width;
    const ry = (y + bounds.top - before.top) / before.height;
    this.moved = true;
    this.apply(this.zoom * factor);
    const after = this.sheets.getBoundingClientRect();
    this.stage.scrollLeft += after.left + rx * after.width - bounds.left - x;
    this.stage.scrollTop += after.top + ry * after.height - bounds.top - y;
  }

  /** Marks the field's box without moving the picture. */
  hint(key) {
    for (const box of this.sheets.querySelectorAll("[data-box]")) box.classList.toggle("current", box.dataset.box === key);
  }

  /** Marks the field's box and brings it into view, zooming in when its print is too small to read. */
  show(key) {
    this.hint(key);
    const box = [...this.sheets.querySelectorAll("[data-box]")].find((candidate) => candidate.dataset.box === key);
    if (!box) return;
    const size = box.getBoundingClientRect();
    const height = Math.min(size.width, size.height);
    if (height > 0 && height < LEGIBLE_PX) {
      const wide = (this.stage.clientWidth * 0.9) / size.width;
      const factor = Math.min(LEGIBLE_PX / height, Math.max(wide, 1));
      if (factor > 1.15) { this.moved = true; this.apply(this.zoom * factor); }
    }
    const place = box.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const margin = 24;
    const hidden = place.top < stage.top + margin || place.bottom > stage.bottom - margin || place.left < stage.left + margin || place.right > stage.right - margin;
    if (hidden) {
      this.stage.scrollBy({
        left: place.left + place.width / 2 - stage.left - stage.width / 2,
        top: place.top + place.height / 2 - stage.top - stage.height / 2,
      });
    }
  }

  /** Moves a field's box to `place` (`page x,y x,y x,y x,y`, page pixels) and its cut-out with it; no place, no box. */
  place(key, place, snippet) {
    this.sheets.querySelector(`[data-box="${key}"]`)?.remove();
    const [page, ...corners] = place.split(" ");
    const sheet = this.sheets.querySelector(`[data-page="${page}"]`);
    if (corners.length !== 4 || !sheet) return;
    const box = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
    box.dataset.box = key;
    box.setAttribute("points", corners.join(" "));
    box.setAttribute("vector-effect", "non-scaling-stroke");
    sheet.querySelector(".boxes").append(box);
    if (snippet) cut(snippet, corners.map((corner) => corner.split(",").map(Number)));
  }

  drag() {
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      // Touch scrolls by itself.
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, left: this.stage.scrollLeft, top: this.stage.scrollTop };
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.stage.classList.add("dragging");
      this.stage.scrollLeft = from.left - (event.clientX - from.x);
      this.stage.scrollTop = from.top - (event.clientY - from.y);
    });
    window.addEventListener("pointerup", () => { from = null; this.stage.classList.remove("dragging"); });
  }
}
