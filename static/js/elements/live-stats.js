// <live-stats>table</live-stats>: keeps the numbers of the rows that are on screen live. The server marks them:
// <span data-live="cpu|memory" data-target="HOST/ID">. Rows out of sight cost their hosts no stream.
import { bytes, percent } from "dermaga/stats-series";
import { Stream } from "dermaga/stream";

const SETTLE_MS = 1200; // scrolling by is not looking
const OFF_SCREEN_MS = 4000;
const AT_MOST = 60; // streams of one page
const [CPU, MEMORY] = [2, 3]; // places in a sample, see docs/sockets.md
const SHOW = { cpu: (sample) => percent(sample[CPU]), memory: (sample) => bytes(sample[MEMORY]) };

class LiveStats extends HTMLElement {
  connectedCallback() {
    this.samples = new Map(); // target -> its last sample
    this.inSight = new Set();
    this.observer = new IntersectionObserver((entries) => this.sighted(entries));
    this.morphed = () => this.look();
    this.seen = () => this.settle(document.hidden ? OFF_SCREEN_MS : SETTLE_MS);
    this.addEventListener("dermaga:morphed", this.morphed);
    document.addEventListener("visibilitychange", this.seen);
    this.look();
  }

  disconnectedCallback() {
    this.stream?.end();
    clearTimeout(this.timer);
    this.observer.disconnect();
    this.removeEventListener("dermaga:morphed", this.morphed);
    document.removeEventListener("visibilitychange", this.seen);
  }

  get cells() {
    return this.querySelectorAll("[data-live][data-target]");
  }

  /** After the server drew rows: watches them, and puts the live numbers back in. */
  look() {
    this.observer.disconnect();
    this.inSight.clear();
    for (const cell of this.cells) {
      this.observer.observe(cell);
      this.fill(cell);
    }
    this.settle(SETTLE_MS);
  }

  sighted(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.inSight.add(target);
      else this.inSight.delete(target);
    }
    this.settle(SETTLE_MS);
  }

  settle(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.follow(), wait);
  }

  follow() {
    const targets = document.hidden ? [] : [...new Set([...this.inSight].filter((cell) => cell.isConnected).map((cell) => cell.dataset.target))].slice(0, AT_MOST);
    const key = targets.toSorted().join(" ");
    if (key === this.key) return;
    this.key = key;
    this.stream?.end();
    this.stream = null;
    for (const target of this.samples.keys()) if (!targets.includes(target)) this.samples.delete(target);
    if (!targets.length) return;
    const query = new URLSearchParams(targets.map((target) => ["target", target]));
    this.stream = new Stream(`/ws/stats?${query}`, { message: (message) => this.receive(message, targets), refused: () => {} });
  }

  receive(message, targets) {
    if (message.t === "state" && message.state === "ended") this.samples.delete(targets[message.target]);
    if (message.t !== "stats") return;
    for (const sample of message.samples) this.samples.set(targets[sample[0]], sample);
    for (const cell of this.inSight) this.fill(cell);
  }

  fill(cell) {
    const sample = this.samples.get(cell.dataset.target);
    if (!sample) return;
    const words = SHOW[cell.dataset.live](sample);
    if (cell.textContent !== words) cell.textContent = words;
  }
}

customElements.define("live-stats", LiveStats);
