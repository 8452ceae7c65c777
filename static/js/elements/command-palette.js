// <command-palette url="/find/"><form><input role="combobox"></form><div role="listbox" hidden></div></command-palette>:
// finds while typing; arrows choose, Enter opens or does what is chosen: the first, if nobody chose. Without this script
// the form searches the containers. An option with data-action (and data-value, NAME=VALUE) stands for the form of that action
// on the page that it leads to: that form is sent from here, after what it asks.
import { el } from "dermaga/dom";
import { morphInside } from "dermaga/morph";

const TYPING_MS = 150;

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("focus", () => this.soon());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.addEventListener("focusout", (event) => !this.contains(event.relatedTarget) && this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("htmx:afterRequest", () => this.input.blur());
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  clicked(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    setTimeout(() => this.close());
    if (!option.dataset.action || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.send(option.href, option.dataset.action, option.dataset.value);
  }

  async send(url, action, value) {
    const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
    const page = new DOMParser().parseFromString(answer?.ok ? await answer.text() : "", "text/html");
    const fields = (form) => [...form.elements].map((field) => `${field.name}=${field.value}`);
    const fits = (form) => form.getAttribute("action") === action && (!value || fields(form).includes(value));
    const form = [...page.forms].find(fits);
    if (!form) return location.assign(url); // it cannot be done just now: the page says why
    this.place ??= this.appendChild(el("div", { hidden: true }));
    this.place.replaceChildren(form);
    form.requestSubmit();
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get chosen() {
    return this.list.hidden ? null : this.list.querySelector('[aria-selected="true"]');
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), TYPING_MS);
  }

  async load() {
    this.request?.abort();
    const request = (this.request = new AbortController());
    const url = this.address;
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: request.signal, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const html = await answer.text();
      if (document.activeElement !== this.input) return;
      this.shown = url;
      morphInside(this.list, html);
      globalThis.htmx?.process(this.list);
      this.open();
    } catch (error) {
      if (error.name !== "AbortError") this.close(); // the next letter tries again
    }
  }

  open() {
    this.list.hidden = false;
    this.list.scrollTop = 0;
    this.input.setAttribute("aria-expanded", "true");
    this.options.forEach((option, number) => (option.id = `found-${number}`));
    this.choose(this.input.value.trim() ? this.options[0] : null);
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(option) {
    for (const one of this.options) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) this.load();
      else this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && this.input.value.trim()) {
      event.preventDefault();
      this.take();
    }
  }

  /** What is typed counts, also where the answer to it is still on its way. */
  async take() {
    if (this.list.hidden || this.shown !== this.address) {
      clearTimeout(this.timer);
      await this.load();
    }
    if (this.chosen) this.chosen.click();
    else if (this.list.hidden) this.querySelector("form").submit();
  }

  get address() {
    const url = new URL(this.getAttribute("url"), location.href);
    url.searchParams.set("q", this.input.value);
    return url.href;
  }

  move(step) {
    const options = this.options;
    if (!options.length) return;
    const at = options.indexOf(this.chosen);
    this.choose(options[(at + step + options.length) % options.length] ?? options[0]);
  }
}

customElements.define("command-palette", CommandPalette);
