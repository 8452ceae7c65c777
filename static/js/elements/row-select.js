// <row-select>table with td.pick checkboxes and a .chosen-bar</row-select>: ranges with Shift, all on the page, a bar
// that slides in. The choice is kept by value, so it survives rows that are morphed or sorted anew.
import { isTyping } from "dermaga/dom";
import { number, t } from "dermaga/words";

const ROW_BOX = "td.pick input[type=checkbox]:not(:disabled)";

class RowSelect extends HTMLElement {
  connectedCallback() {
    this.chosen = new Set(this.boxes.filter((box) => box.checked).map((box) => box.value));
    this.addEventListener("click", this.clicked);
    this.addEventListener("change", this.changed);
    this.addEventListener("dermaga:morphed", this.restore);
    this.addEventListener("htmx:afterSettle", this.restore);
    this.addEventListener("htmx:configRequest", this.addChosen);
    this.keys = (event) => this.pressed(event);
    document.addEventListener("keydown", this.keys);
    this.restore();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.keys);
  }

  get boxes() {
    return [...this.querySelectorAll(ROW_BOX)];
  }

  clicked(event) {
    if (event.target.closest("[data-choose-none]")) this.clear();
    const place = event.target.closest("[data-chosen-to]");
    if (place) location.assign(`${place.dataset.chosenTo}?${this.query()}`);
    const box = event.target.closest(ROW_BOX);
    if (!box) return;
    const boxes = this.boxes;
    const [from, to] = [boxes.findIndex((one) => one.value === this.anchor), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const one of boxes.slice(from, to + 1)) this.choose(one, box.checked);
    this.anchor = box.value;
  }

  changed(event) {
    if (event.target.matches("th.pick input, [data-choose-all]")) {
      for (const box of this.boxes) this.choose(box, event.target.checked);
    } else if (event.target.matches(ROW_BOX)) {
      this.choose(event.target, event.target.checked);
    } else return;
    this.show();
  }

  choose(box, on) {
    box.checked = on;
    if (on) this.chosen.add(box.value);
    else this.chosen.delete(box.value);
  }

  clear() {
    for (const box of this.boxes) this.choose(box, false);
    this.chosen.clear();
    this.show();
  }

  /** The chosen rows as a query, with the first twelve characters of each id: an address has an end. */
  query() {
    const query = new URLSearchParams();
    for (const value of this.chosen) {
      const [host, id] = value.split("/");
      query.append("target", `${host}/${id.slice(0, 12)}`);
    }
    return query;
  }

  /** After rows changed: ticks what was chosen; what left the page is no longer chosen. */
  restore() {
    const present = new Set(this.boxes.map((box) => box.value));
    for (const value of [...this.chosen]) if (!present.has(value)) this.chosen.delete(value);
    for (const box of this.boxes) box.checked = this.chosen.has(box.value);
    this.show();
  }

  show() {
    const boxes = this.boxes;
    for (const box of boxes) box.closest("tr")?.classList.toggle("chosen", box.checked);
    const all = this.querySelector("th.pick input, [data-choose-all]");
    if (all) {
      all.checked = boxes.length > 0 && this.chosen.size === boxes.length;
      all.indeterminate = this.chosen.size > 0 && !all.checked;
    }
    const bar = this.querySelector(".chosen-bar");
    if (!bar) return;
    bar.hidden = this.chosen.size === 0;
    const words = bar.querySelector("[data-count]");
    if (words) words.textContent = t("%(n)s chosen", { n: number(this.chosen.size) });
    const names = boxes.filter((box) => box.checked).map((box) => box.dataset.name ?? box.value);
    for (const button of bar.querySelectorAll("[data-confirm-chosen]")) button.dataset.confirmChosen = JSON.stringify(names);
  }

  /** Bulk buttons outside of the table's form send the choice too. */
  addChosen(event) {
    const bar = event.target.closest?.(".chosen-bar");
    if (bar && !event.detail.formData.has("target")) {
      for (const value of this.chosen) event.detail.formData.append("target", value);
    }
  }

  pressed(event) {
    // in a form Enter on a checkbox presses the first button, whatever it does
    if (event.key === "Enter" && event.target.matches?.(".pick input") && this.contains(event.target)) event.preventDefault();
    if (isTyping(event) || event.ctrlKey || event.metaKey || document.querySelector("dialog:modal, details.menu[open]")) return;
    if (event.key === "Escape" && this.chosen.size) this.clear();
    const box = event.key === "x" ? document.activeElement?.closest?.("tr")?.querySelector(ROW_BOX) : null;
    if (!box || !this.contains(box)) return;
    this.choose(box, !box.checked);
    this.anchor = box.value;
    this.show();
  }
}

customElements.define("row-select", RowSelect);
