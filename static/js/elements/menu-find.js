// <menu-find><input></menu-find> at the top of a long menu: hides the entries that do not have the typed words.
class MenuFind extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", this.typed);
    this.addEventListener("keydown", this.pressed);
  }

  get entries() {
    return [...this.parentElement.querySelectorAll(":scope > a")];
  }

  typed(event) {
    event.stopPropagation();
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of this.entries) {
      const text = entry.textContent.toLowerCase();
      entry.hidden = !words.every((word) => text.includes(word));
    }
  }

  /** Enter takes the first entry that is left. */
  pressed(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.entries.find((entry) => !entry.hidden)?.click();
  }
}

customElements.define("menu-find", MenuFind);
