// The search through whole logs: what the server found so far, as a list under the bar. Newest first.
import { el, icon } from "dermaga/dom";
import { LEVELS, momentOf } from "dermaga/log-line";
import { recognise } from "dermaga/levels";
import { nameElements, when } from "dermaga/log-row";
import { socketAddress } from "dermaga/stream";
import { hits as hitWords, number, t } from "dermaga/words";

const DRAWN = 200; // hits in the list until the reader asks for more
const STOPPED = { time: "it took too long", bytes: "it read too much" };

/** Orders hits: newest first; those of one time as their logs have them. */
function newestFirst(one, other) {
  return other.ms - one.ms || other.ns - one.ns || other.ordinal - one.ordinal;
}

export class LogHits {
  /** `view` gives choice, targets, showHit(hit); `changed()` hears that there is something new. */
  constructor(view, changed) {
    this.view = view;
    this.changed = changed;
    this.list = el("ol", { class: "log-found" });
    this.words = el("span", { role: "status" });
    this.stop = el("button", { type: "button", class: "button", onclick: () => this.end(true) }, t("Stop"));
    const close = el("button", { type: "button", class: "icon-button", "aria-label": t("Close the list of hits"), onclick: () => this.clear() }, icon("x"));
    this.more = el("button", { type: "button", class: "link-button", hidden: true, onclick: () => this.drawMore() });
    const head = el("div", { class: "log-found-head" }, this.words, el("span", { class: "push" }), this.stop, close);
    this.node = el("section", { class: "log-found-panel", hidden: true, "aria-label": t("Hits in the whole log") }, head, this.list, this.more);
    this.clear();
  }

  clear() {
    this.end();
    this.query = null;
    this.hits = [];
    this.total = 0;
    this.current = null;
    this.failed = [];
    this.logs = new Map();
    this.limit = DRAWN;
    this.problem = this.stopped = "";
    this.list.replaceChildren();
    this.node.hidden = true;
    this.changed?.();
  }

  get isRunning() {
    return Boolean(this.socket);
  }

  isFor(query) {
    return this.query !== null && JSON.stringify(query) === JSON.stringify(this.query);
  }

  /** Begins a search: `query` as /ws/logs/search takes it; `ready()` is called when it has ended. */
  start(query, ready) {
    this.clear();
    this.ready = ready;
    this.query = query;
    this.node.hidden = false;
    const socket = new WebSocket(socketAddress("/ws/logs/search?by=message"));
    this.socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ ...this.view.choice, ...query })));
    socket.addEventListener("message", (event) => socket === this.socket && this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event));
    this.show();
  }

  end(byReader = false) {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    if (byReader) {
      this.stopped = t("stopped");
      this.show();
    }
  }

  closed(event) {
    this.socket = null;
    if (event.code !== 1000) this.problem = event.reason || t("The server closed the stream (%(code)s).", { code: event.code });
    this.show();
  }

  receive(message) {
    if (message.t === "targets") this.targets = message.targets;
    else if (message.t === "hits") this.take(message);
    else if (message.t === "end") this.ended(message);
    else if (message.lines !== undefined) this.progress(message);
  }

  take({ target, hits }) {
    for (const [stream, stamp, ordinal, text, begin, end] of hits) {
      const [ms, ns] = momentOf(stamp);
      this.hits.push({ target, stream, stamp, ms, ns, ordinal, text, begin, end });
    }
    this.hits.sort(newestFirst);
    this.drawSoon();
  }

  progress(message) {
    this.logs.set(message.target, message);
    if (message.t === "failed") this.failed.push(message);
    this.total = [...this.logs.values()].reduce((sum, log) => sum + log.hits, 0);
    this.show();
  }

  ended(message) {
    this.total = message.hits;
    this.stopped = message.stopped ? t(STOPPED[message.stopped]) : "";
    this.show();
    if (!this.current) this.ready?.();
  }

  /** The words beside the search: "3 of 128", "128 hits". */
  short() {
    const total = Math.max(this.total, this.hits.length);
    const place = this.hits.indexOf(this.current);
    if (place >= 0) return t("%(n)s of %(total)s", { n: number(place + 1), total: number(total) });
    return this.isRunning ? `${hitWords(total)}…` : hitWords(total);
  }

  show() {
    const lines = [...this.logs.values()].reduce((sum, log) => sum + log.lines, 0);
    const parts = [this.problem || hitWords(Math.max(this.total, this.hits.length))];
    if (lines) parts.push(t("%(n)s lines searched", { n: number(lines) }));
    if (this.stopped) parts.push(t("partial: %(why)s", { why: this.stopped }));
    for (const { target, reason } of this.failed.slice(0, 3)) {
      const name = this.targets?.[target] ? `${this.targets[target].host}/${this.targets[target].name}` : "";
      parts.push(t("partial: %(why)s", { why: `${name}: ${reason}` }));
    }
    this.words.textContent = parts.join(", ");
    this.words.classList.toggle("bad", Boolean(this.problem));
    this.words.classList.toggle("warn", !this.problem && Boolean(this.failed.length || this.stopped));
    this.stop.hidden = !this.isRunning;
    this.changed();
  }

  drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    this.list.replaceChildren(...this.hits.slice(0, this.limit).map((hit) => this.entry(hit)));
    const rest = Math.max(this.total, this.hits.length) - Math.min(this.limit, this.hits.length);
    this.more.hidden = this.hits.length <= this.limit;
    this.more.textContent = t("%(n)s more", { n: number(rest) });
    this.show();
  }

  drawMore() {
    this.limit += DRAWN;
    this.draw();
  }

  entry(hit) {
    const { text, begin, end } = hit;
    const target = this.targets?.[hit.target];
    const level = LEVELS.includes(recognise(text).level) ? recognise(text).level : "";
    const line = el("span", { class: "log-found-text" }, text.slice(0, begin), el("mark", {}, text.slice(begin, end)), text.slice(end));
    const names = this.view.showNames && target ? nameElements({ ...target, shown: `${target.host}/${target.name}` }, this.view) : [];
    const button = el("button", { type: "button", class: level ? `level-row-${level}` : "", "aria-current": String(hit === this.current), onclick: () => this.go(hit) }, el("span", { class: "log-time" }, when(hit.ms)), ...names, line);
    return el("li", {}, button);
  }

  go(hit) {
    this.current = hit;
    this.draw();
    this.view.showHit(hit, this.targets[hit.target]);
  }

  /** The next later (`by` 1) or earlier (-1) hit, round and round; the first time from the time `ms` on, and where
      nothing is later the newest: who follows a log asks for what has just happened. */
  step(by, ms) {
    if (!this.hits.length) return;
    const place = this.hits.indexOf(this.current);
    let next = place - by;
    if (place < 0) {
      const first = this.hits.findIndex((hit) => hit.ms <= ms);
      next = by < 0 ? Math.max(0, first) : Math.max(0, (first < 0 ? this.hits.length : first) - 1);
    }
    next = (next + this.hits.length) % this.hits.length;
    if (next >= this.limit) this.limit = next + DRAWN;
    this.go(this.hits[next]);
    this.list.children[next]?.scrollIntoView({ block: "nearest" });
  }
}
