// <image-search url="..."><input role="combobox"><div role="listbox" hidden><div role="group" data-of="here"></div>
// <div role="group" data-of="registry"></div></div></image-search>: offers images on the hosts while somebody types, and
// tags in the name's registry after a rest. Arrows choose, Enter takes; without this script the field has a plain list.
import { morphInside } from "dermaga/morph";

const HERE_MS = 150;
const REGISTRY_MS = 500; // a registry counts requests

class ImageSearch extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.input.removeAttribute("list");
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.addEventListener("focusout", (event) => !this.contains(event.relatedTarget) && this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
  }

  disconnectedCallback() {
    this.rest();
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get chosen() {
    return this.list.hidden ? null : this.list.querySelector('[aria-selected="true"]');
  }

  rest() {
    clearTimeout(this.here);
    clearTimeout(this.registry);
    this.request?.abort();
  }

  soon() {
    this.rest();
    this.request = new AbortController();
    this.here = setTimeout(() => this.load("here"), HERE_MS);
    this.registry = setTimeout(() => this.load("registry"), REGISTRY_MS);
  }

  async load(part) {
    const { signal } = this.request;
    const url = new URL(this.getAttribute("url"), location.href);
    url.searchParams.set("image", this.input.value);
    if (part === "registry") url.searchParams.set("registry", "1");
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal });
      if (!answer.ok || answer.redirected || signal.aborted) return;
      const html = await answer.text();
      if (signal.aborted || document.activeElement !== this.input) return;
      morphInside(this.list.querySelector(`[data-of=${part}]`), html);
      this.show();
    } catch (error) {
      if (error.name !== "AbortError") this.close(); // the next letter tries again
    }
  }

  show() {
    const chosen = this.chosen;
    this.options.forEach((option, number) => (option.id = `${this.list.id}-${number}`));
    this.list.hidden = !this.list.textContent.trim();
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.choose(chosen?.isConnected ? chosen : null);
  }

  close() {
    this.rest();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(option) {
    for (const one of this.options) one.setAttribute("aria-selected", String(one === option));
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  take(option) {
    if (!option) return;
    this.input.value = option.dataset.value;
    this.close();
  }

  pressed(event) {
    if (event.isComposing) return;
    const { key } = event;
    if (key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) this.soon();
      else this.move(key === "ArrowDown" ? 1 : -1);
    } else if (key === "Enter" && this.chosen) {
      event.preventDefault();
      this.take(this.chosen);
    }
  }

  move(step) {
    const { options } = this;
    const at = options.indexOf(this.chosen);
    this.choose(options[at < 0 && step < 0 ? options.length - 1 : (at + step + options.length) % options.length] ?? null);
  }
}

customElements.define("image-search", ImageSearch);
