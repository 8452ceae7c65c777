// <live-region kinds="container host" hosts="fra-1 lab" ids="..." url="...">server-rendered part</live-region>
// Asks for its part again when rows of its kinds change, and every so many seconds where it says every="5": over the
// socket, which makes a part once for all who look at it, else by a request. Morphs it in place. Parts that are large or change all the time say apart="3000": milliseconds between two fetches.
import { askPart, GONE, subscribe } from "dermaga/changes";
import { csrfToken } from "dermaga/cookies";
import { hasLeft, onLeave } from "dermaga/leaving";
import { morphInside } from "dermaga/morph";
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

const LEADING_MS = 40; // lets a burst of messages end before the first fetch
const APART_MS = 300;
const CALM_MS = 5000; // for figures, which move all the time: a fleet samples some host every moment
const AWAY_MS = 3000;
const REST = 3; // times as long as the last fetch took: a slow part, or a busy server, is asked for less often
const ROWS = "tr[id], [data-row][id]";
const QUIET = "[data-quiet], :has([data-quiet], time.ago)"; // what changes by itself does not count as a change

let saidGone = false;

function listed(element, name) {
  const words = (element.getAttribute(name) ?? "").split(/\s+/).filter(Boolean);
  return words.length ? new Set(words) : null;
}

function signature(row) {
  const parts = row.matches("tr") ? [...row.children].filter((cell) => !cell.matches(QUIET)) : [row];
  return parts.map((part) => part.textContent.trim()).join("\u0001");
}

function withToken(html, token) {
  return html.replaceAll('name="csrfmiddlewaretoken" value=""', `name="csrfmiddlewaretoken" value="${token}"`);
}

class LiveRegion extends HTMLElement {
  connectedCallback() {
    this.wanted = { kinds: listed(this, "kinds"), hosts: listed(this, "hosts"), ids: listed(this, "ids") };
    this.last = this.hasAttribute("every") ? performance.now() : 0;
    this.took = 0;
    if (this.wanted.kinds) this.stop = subscribe(this.wanted, (items) => this.soon(items.length > 0 && items.every((item) => item.kind === "stats")));
    this.ticks = setInterval(() => this.hasAttribute("every") && this.tick(), 1000);
    this.seen = () => !document.hidden && this.waiting && this.soon();
    document.addEventListener("visibilitychange", this.seen);
    this.stay = onLeave(() => this.rest());
    if (this.waiting) this.soon(); // it was taken out of the page and put back while its part was on the way
  }

  disconnectedCallback() {
    this.stop?.();
    this.stay();
    clearInterval(this.ticks);
    this.rest();
    document.removeEventListener("visibilitychange", this.seen);
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.request) return;
    this.request.abort();
    this.request = null;
    this.waiting = true;
  }

  /** Asks for the part again: at once after a rest, at most every `apart` in a storm, never in a hidden tab; `calm`
      for what is no news. */
  soon(calm = false) {
    this.waiting = true;
    if (hasLeft()) return;
    if (document.hidden || this.request || (this.timer && (calm || !this.calm))) return;
    clearTimeout(this.timer);
    this.calm = calm;
    const wait = Math.max(LEADING_MS, this.last + Math.max(this.apart, calm ? CALM_MS : 0) - performance.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      this.refresh();
    }, wait);
  }

  tick() {
    if (performance.now() - this.last >= Number(this.getAttribute("every")) * 1000) this.soon();
  }

  get apart() {
    return Math.max(Number(this.getAttribute("apart")) || APART_MS, this.took * REST);
  }

  get url() {
    return this.getAttribute("url") || location.pathname + location.search;
  }

  async refresh() {
    this.waiting = false;
    this.last = performance.now();
    const request = (this.request = new AbortController());
    try {
      const url = this.url;
      // what is asked for every so many seconds alone may ask an engine: that is no part to be made once for many
      const part = this.wanted.kinds ? await askPart(url, this.id) : null;
      if (request.signal.aborted) return;
      if (part === GONE) return this.gone();
      if (part === null) await this.load(url);
      else if (url === this.url) this.show(part, csrfToken());
      else this.waiting = true; // the reader has filtered or turned the page meanwhile
      if (part !== null) this.took = 0; // the server chose when
    } catch (error) {
      if (error.name !== "AbortError") this.again();
    } finally {
      if (this.request === request) this.request = null;
    }
    if (this.waiting && this.isConnected) this.soon();
  }

  /** Asks for the part as a page would; the server's load shows in the time it takes. */
  async load(url) {
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href, "X-Live": "1" };
    if (this.id) headers["HX-Target"] = this.id;
    const began = performance.now();
    const answer = await fetch(url, { headers, signal: this.request.signal, cache: "no-store" });
    if (url === this.url) await this.take(answer);
    else this.waiting = true;
    this.took = performance.now() - began;
  }

  async take(answer) {
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) {
      location.assign(elsewhere);
    } else if (answer.ok) {
      this.show(await answer.text());
    } else if (answer.status >= 500) {
      this.again();
    } else {
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      toast(part.body.textContent.trim().slice(0, 500), "error");
      this.stop?.(); // gone or no longer allowed: asking again would say the same
    }
  }

  /** What it shows was removed, or may not be seen any more: asking again would say the same. A page that was opened by
      a name asks on with one of its parts: a container that is made anew is away for a moment. */
  gone() {
    if (this.hasAttribute("follow")) {
      if (!this.wanted.ids) return;
      this.wanted.ids = null;
      setTimeout(() => this.isConnected && this.sayGone(), AWAY_MS);
      return;
    }
    this.stop?.();
    if (!document.querySelector("live-region[follow]")) this.sayGone();
  }

  sayGone() {
    if (saidGone) return; // a page may have several parts
    saidGone = true;
    toast(t("What this page shows is gone."), "error");
  }

  /** The server stumbled: the next change or a few seconds bring another try. */
  again() {
    if (!this.isConnected) return;
    this.last = performance.now() + 2000;
    setTimeout(() => this.isConnected && this.soon(), 0); // once the failed request is over
  }

  /** Puts the part in; `token` is for its forms where it was made for many people and came without. */
  show(html, token = "") {
    const before = new Map([...this.querySelectorAll(ROWS)].map((row) => [row.id, signature(row)]));
    morphInside(this, token ? withToken(html, token) : html);
    globalThis.htmx?.process(this);
    for (const words of this.querySelectorAll("[data-words-of]")) {
      for (const place of document.querySelectorAll(`[data-words="${words.dataset.wordsOf}"]`)) {
        if (place.textContent !== words.textContent) place.textContent = words.textContent;
      }
    }
    for (const row of this.querySelectorAll(ROWS)) {
      if (before.get(row.id) === signature(row)) continue;
      row.classList.add("changed");
      row.addEventListener("animationend", () => row.classList.remove("changed"), { once: true });
    }
    this.dispatchEvent(new CustomEvent("dermaga:morphed", { bubbles: true }));
  }
}

customElements.define("live-region", LiveRegion);
