// <log-choice>chips and a list with checkboxes</log-choice>: changes what a log view shows. The URL holds the choice and
// the rest of the view (levels, search, time), and what else is in it stays.
import { number, t } from "dermaga/words";

class LogChoice extends HTMLElement {
  connectedCallback() {
    this.added = new Map(); // "name value" -> [name, value]
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("change", (event) => this.changed(event));
    this.addEventListener("htmx:afterSettle", () => this.restore());
    this.adder.addEventListener("toggle", () => this.adder.open && this.querySelector("input[type=search]").focus());
  }

  get adder() {
    return this.querySelector("[data-adder]");
  }

  get boxes() {
    return this.querySelectorAll("#log-choices input[type=checkbox]");
  }

  clicked(event) {
    const chip = event.target.closest("a[data-name]");
    if (chip) {
      event.preventDefault();
      this.go((query) => query.delete(chip.dataset.name, chip.dataset.value));
    } else if (event.target.closest("[data-show]")) {
      this.go((query) => this.added.forEach(([name, value]) => query.has(name, value) || query.append(name, value)));
    }
  }

  changed({ target }) {
    if (target.type !== "checkbox") return;
    const key = `${target.name} ${target.value}`;
    if (target.checked) this.added.set(key, [target.name, target.value]);
    else this.added.delete(key);
    this.restore();
  }

  /** Ticks what was chosen before the list was fetched again, and what the view shows already. */
  restore() {
    const shown = new URLSearchParams(location.search);
    for (const box of this.boxes) {
      box.disabled = shown.has(box.name, box.value);
      box.checked = box.disabled || this.added.has(`${box.name} ${box.value}`);
    }
    const button = this.querySelector("[data-show]");
    button.hidden = !this.added.size;
    button.textContent = this.added.size ? t("Show %(n)s more", { n: number(this.added.size) }) : t("Show");
  }

  go(change) {
    const query = new URLSearchParams(location.search);
    change(query);
    query.delete("line"); // a line and a time belong to what was shown before
    location.assign(`?${query}`);
  }
}

customElements.define("log-choice", LogChoice);
