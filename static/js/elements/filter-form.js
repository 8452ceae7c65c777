// <filter-form><form method="get">…: sends the form when a choice changes and shortly after typing stops.
const TYPING_MS = 350;

class FilterForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.changed);
    this.addEventListener("input", this.typed);
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.changed);
    this.removeEventListener("input", this.typed);
    clearTimeout(this.timer);
  }

  changed(event) {
    if (event.target.type !== "search") this.querySelector("form")?.requestSubmit();
  }

  typed(event) {
    if (event.target.type !== "search") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.querySelector("form")?.requestSubmit(), TYPING_MS);
  }
}

customElements.define("filter-form", FilterForm);
