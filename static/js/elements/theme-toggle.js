// <theme-toggle><button>: light, dark; choosing what the system has means following the system again.
class ThemeToggle extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.click = () => this.toggle();
    this.button?.addEventListener("click", this.click);
  }

  disconnectedCallback() {
    this.button?.removeEventListener("click", this.click);
  }

  toggle() {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = document.documentElement.dataset.theme || system;
    const next = now === "dark" ? "light" : "dark";
    if (next === system) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === system) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // Storage is blocked: the choice lasts as long as the page.
    }
    document.dispatchEvent(new CustomEvent("dermaga:theme"));
  }
}

customElements.define("theme-toggle", ThemeToggle);
