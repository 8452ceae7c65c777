// <facet-menu class="menu-list" url="?state=running&facet=host"></facet-menu> in a <details class="menu">: the values of a
// filter with their counts, fetched whenever the menu opens, and again when the list's filters change while it is open.
import { morphInside } from "dermaga/morph";

class FacetMenu extends HTMLElement {
  static observedAttributes = ["url"];

  connectedCallback() {
    this.menu = this.closest("details");
    this.toggled = () => this.menu.open && this.load();
    this.menu.addEventListener("toggle", this.toggled);
    this.toggled();
  }

  disconnectedCallback() {
    this.menu.removeEventListener("toggle", this.toggled);
    this.request?.abort();
  }

  attributeChangedCallback() {
    if (this.menu?.open) this.load();
  }

  async load() {
    this.request?.abort();
    this.request = new AbortController();
    this.setAttribute("aria-busy", "true");
    try {
      const url = new URL(this.getAttribute("url"), location.href);
      const headers = { "HX-Request": "true" };
      const answer = await fetch(url, { headers, signal: this.request.signal, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      morphInside(this, await answer.text());
      globalThis.htmx?.process(this);
      this.dispatchEvent(new CustomEvent("dermaga:morphed", { bubbles: true }));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.menu.open = false; // to open it is to try again
    }
    this.removeAttribute("aria-busy");
  }
}

customElements.define("facet-menu", FacetMenu);
