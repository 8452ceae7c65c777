// <log-view targets='["fra-1/web"]' | choice='{"target": [], "host": ["fra-1"], "project": []}' tail="500" download="...">:
// the log of one or many containers in one order of time, live or around a time. docs/logs.md says what it can do.
// Keys: / search, n N hits, f follow, w wrap, t timestamps, j fields, l link, Home, End.
import { el, isTyping, onTheme } from "dermaga/dom";
import { LogBar } from "dermaga/log-bar";
import { LogBlank } from "dermaga/log-blank";
import { drawHistogram } from "dermaga/log-histogram";
import { LogHits } from "dermaga/log-hits";
import { LogHues, colourChips } from "dermaga/log-hues";
import { LEVELS, STREAMS } from "dermaga/log-line";
import { LogLinks } from "dermaga/log-links";
import { LogLive } from "dermaga/log-live";
import { rememberLook, rememberedLook } from "dermaga/log-look";
import { fill, refusedWords } from "dermaga/log-notes";
import { LogPages } from "dermaga/log-pages";
import { LogPosition } from "dermaga/log-position";
import { LogReader } from "dermaga/log-reader";
import { LogSearch } from "dermaga/log-search";
import { LogStore } from "dermaga/log-store";
import { readUrl } from "dermaga/log-url";
import { LogWindow } from "dermaga/log-window";
import { hits, number, t } from "dermaga/words";

const EVERY_MS = 1000;
const RATE_SECONDS = 5;
const RESERVED = "dialog:modal, [popover]:popover-open"; // what is open takes the keys

class LogView extends HTMLElement {
  connectedCallback() {
    const asked = JSON.parse(this.getAttribute("targets") ?? "[]");
    this.choice = JSON.parse(this.getAttribute("choice") ?? JSON.stringify({ target: asked }));
    this.tail = this.getAttribute("tail") || "500";
    this.showNames = this.hasAttribute("choice");
    this.targets = [];
    this.hosts = [];
    this.showHosts = this.isNamed = false;
    this.hues = new LogHues();
    const { at, line, ...asks } = readUrl(location.search);
    Object.assign(this, asks, rememberedLook());
    this.position = new LogPosition(this, at);
    this.links = new LogLinks(this);
    this.line = line; // that a link leads to
    this.arrivals = [];
    this.current = this.chosen = null;
    this.build();
    this.live.begin();
    this.timer = setInterval(() => this.everySecond(), EVERY_MS);
    this.keys = (event) => this.pressed(event);
    document.addEventListener("keydown", this.keys);
    this.stopTheme = onTheme(() => this.everySecond(true));
  }

  disconnectedCallback() {
    this.live.end();
    this.pages.end();
    this.found.end();
    this.window.end();
    this.search.clear();
    this.links.end();
    clearInterval(this.timer);
    document.removeEventListener("keydown", this.keys);
    this.stopTheme();
    this.replaceChildren();
  }

  get scroller() {
    return this.window.scroller;
  }

  get rows() {
    return this.store.rows;
  }

  get at() {
    return this.position.at;
  }

  build() {
    this.window = new LogWindow(this, (atEnd, up) => this.position.readerMoved(atEnd, up), (top, end) => this.position.nearEnd(top, end));
    this.store = new LogStore((row) => this.window.guess(row), (change) => this.window.keeping(change));
    this.pages = new LogPages();
    this.reader = new LogReader(this.store, this.pages, (place) => this.targets[place].key, (place, words) => this.unread(place, words), (rows) => this.search.added(rows));
    this.live = new LogLive(this);
    this.search = new LogSearch(this.rows, (row) => this.isShown(row), () => this.bar.showHits());
    this.found = new LogHits(this, () => this.bar?.showHits());
    this.bar = new LogBar(this);
    this.histogram = el("canvas", { class: "log-histogram", "aria-hidden": "true", title: t("Lines over time, errors in red: click to go there") });
    this.status = el("div", { class: "log-status", role: "status", hidden: true });
    this.older = el("button", { type: "button", class: "chip log-older", hidden: true, onclick: () => this.position.readOlder() }, t("Load older lines"));
    this.blank = new LogBlank(this);
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names: (this.choice.target ?? []).join(", ") }));
    this.scroller.addEventListener("click", (event) => this.clicked(event));
    this.scroller.addEventListener("pointerup", () => {
      const selection = document.getSelection();
      if (!selection.isCollapsed && this.scroller.contains(selection.anchorNode)) this.pause("button");
    });
    this.histogram.addEventListener("click", (event) => this.histogramClicked(event));
    this.classList.toggle("log-wrapped", this.wrapped);
    this.classList.toggle("log-named", this.showNames);
    const middle = el("div", { class: "log-middle" }, this.scroller, this.older, this.blank.node);
    this.replaceChildren(this.bar.node, this.histogram, this.found.node, middle, this.status);
    if (this.query.q) this.bar.searched();
  }

  // ------------------------------------------------------------ what the live end tells

  /** The server's names for its targets; returns the place of each here, which never changes. */
  named({ targets, left_out: leftOut }) {
    const places = targets.map(({ host, id, name }) => {
      const key = `${host}/${id}`;
      let place = this.targets.findIndex((one) => one.key === key);
      if (place < 0) place = this.targets.push({ key, host, id, name, shown: `${host}/${name}` }) - 1;
      this.store.log(place);
      return place;
    });
    this.hosts = [...new Set(this.targets.map((one) => one.host))];
    if (this.showHosts !== this.hosts.length > 1) this.nameHosts();
    colourChips(this);
    const names = this.targets.slice(0, 5).map((one) => one.shown).join(", ");
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names }));
    this.tellCount();
    this.bar.leftOut = leftOut;
    if (!this.isNamed && (this.at || this.line)) this.openAway();
    this.isNamed = true;
    return places;
  }

  /** Several hosts: each line says which one is its own. */
  nameHosts() {
    this.showHosts = this.hosts.length > 1;
    this.classList.toggle("log-many-hosts", this.showHosts);
    this.window.replace();
  }

  /** The page's title counts what joined. */
  tellCount() {
    const heading = document.querySelector("[data-log-count]");
    const words = t("%(n)s containers", { n: number(this.targets.length) });
    if (heading && this.targets.length > 1 && heading.textContent !== words) heading.textContent = words;
  }

  /** The address named a line or a time. */
  openAway() {
    const { at, line } = this;
    this.line = null;
    if (line) this.position.goToLine(line);
    else this.position.goTo(at);
  }

  /** Lines came; those of the past say nothing about how fast they are written. */
  arrived(count) {
    if (count && this.store.settled) this.arrivals.push([performance.now(), count]);
  }

  /** Rows came that are ready to be shown. */
  added(rows) {
    if (!this.store.settled) {
      const first = rows.filter((row) => row.kind !== "line");
      this.store.show(first);
      return;
    }
    this.store.show(rows);
    this.search.added(rows);
    this.position.grew(rows);
    this.blank.show();
    this.window.soon();
  }

  /** The past has come. */
  settled() {
    this.search.added([...this.rows]);
    this.window.soon();
    this.changed(true);
    this.position.settled();
  }

  /** Other rows are here than before. */
  changed(always = false) {
    this.blank.show();
    this.everySecond(always);
  }

  refused(code, reason) {
    const why = refusedWords(code, reason);
    this.say(why, true);
    this.blank.refuse(why);
  }

  say(words, grave = false) {
    this.status.textContent = words;
    this.status.hidden = !words;
    this.status.classList.toggle("bad", grave);
  }

  unread(place, words) {
    this.say(`${this.targets[place].shown}: ${words}`, true);
  }

  everySecond(always = false) {
    if (document.hidden) return;
    const now = performance.now();
    if (this.store.settled) this.liveFrom ??= Math.min(now, this.arrivals[0]?.[0] ?? now);
    const seconds = Math.min(RATE_SECONDS, Math.max(1, (now - this.liveFrom) / 1000 || 0));
    this.arrivals = this.arrivals.filter(([at]) => at > now - RATE_SECONDS * 1000);
    const rate = this.arrivals.reduce((sum, [, count]) => sum + count, 0) / seconds;
    this.bar.showCounts(this.store.counts, rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10);
    const seen = `${this.rows.length} ${this.rows.first?.ms} ${this.rows.last?.ms}`;
    if (seen === this.drawnHistogram && !always) return;
    this.drawnHistogram = seen;
    this.timeAt = drawHistogram(this.histogram, this.rows);
  }

  // ------------------------------------------------------------ filters and switches

  isShown(row) {
    if (row.kind !== "line") return true;
    const { level, stream } = this.only;
    if (level.size && !level.has(LEVELS[row.level])) return false;
    return !stream.size || stream.has(STREAMS[row.stream]);
  }

  /** A press on a filter; with none pressed all rows show. Returns whether it is pressed now. */
  onlyThese(kind, name) {
    const chosen = this.only[kind];
    if (!chosen.delete(name)) chosen.add(name);
    this.window.replace();
    this.search.restart();
    this.position.showOlder();
    this.blank.show();
    this.links.soon();
    return chosen.has(name);
  }

  /** Lets go of every pressed filter. */
  clearOnly() {
    for (const node of this.bar.filters.values()) if (node.getAttribute("aria-pressed") === "true") node.click();
  }

  toggle(name) {
    if (name === "follow") {
      if (this.window.following) this.pause("button");
      else this.resume();
      return;
    }
    const property = { times: "showTimes", wrap: "wrapped", fields: "showFields" }[name];
    this[property] = !this[property];
    rememberLook(name, this[property]);
    this.classList.toggle("log-wrapped", this.wrapped);
    this.bar.showSwitches();
    this.window.replace();
  }

  pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || document.querySelector(RESERVED)) return;
    const acts = {
      f: () => this.toggle("follow"),
      w: () => this.toggle("wrap"),
      t: () => this.toggle("times"),
      j: () => this.toggle("fields"),
      n: () => this.step(1),
      N: () => this.step(-1),
      l: () => this.links.choose(this.chosen ?? this.current ?? this.window.topRow()?.row),
      End: () => this.resume(),
      Home: () => this.position.toTop(),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
  }

  // ------------------------------------------------------------ following, pausing, other times

  pause(by) {
    this.position.pause(by);
  }

  resume() {
    this.position.resume();
  }

  goTo(stamp) {
    this.position.goTo(stamp);
  }

  showFollow(mode, fresh) {
    this.bar.showFollow(mode, fresh);
  }

  showOlder(is) {
    this.older.hidden = !is;
  }

  forgetRows() {
    this.current = this.chosen = null;
    this.window.forget();
    this.search.restart();
  }

  show(row) {
    if (!row) return;
    this.pause("button");
    this.window.redraw(row);
    this.window.show(row);
  }

  // ------------------------------------------------------------ presses on rows

  rowOf(node) {
    const element = node.closest(".log-row");
    for (const [row, drawn] of this.window.drawn) if (drawn === element) return row;
    return null;
  }

  clicked(event) {
    const node = event.target.closest("[data-act]");
    const row = node && this.rowOf(node);
    if (!row) return;
    event.preventDefault();
    if (node.dataset.act === "open") {
      row.open = !row.open;
      this.pause("button");
      this.window.redraw(row);
    } else if (node.dataset.act === "fill") fill(this, row, node);
    else this.links.choose(row);
  }

  linkTo(row) {
    return this.links.to(row);
  }

  histogramClicked(event) {
    const ms = this.timeAt?.(event.offsetX);
    const row = ms ? this.position.firstFrom(ms) : null;
    if (!row) return;
    this.pause("button");
    this.window.show(row);
  }

  downloadUrl(query) {
    return this.links.download(query);
  }

  // ------------------------------------------------------------ search

  /** Searches what is here; returns what is wrong with a regular expression, or "". */
  find(query) {
    this.query = query;
    this.current = null;
    if (!this.found.isFor(this.wholeQuery())) this.found.clear();
    this.links.soon();
    try {
      this.search.set(query.q, query.regex, query.case);
      return "";
    } catch (error) {
      this.search.clear();
      return error.message.replace(/^Invalid regular expression: /, "");
    } finally {
      this.window.forget();
      this.window.soon();
    }
  }

  wholeQuery() {
    const { q, regex, case: isCase } = this.query;
    return { q, regex, case: isCase, level: [...this.only.level], stream: [...this.only.stream] };
  }

  /** Enter in the field: the first time the whole log is searched, then it goes from hit to hit. */
  entered(by) {
    if (this.found.isFor(this.wholeQuery())) this.step(by);
    else this.searchAll(by);
  }

  /** Searches the whole log and goes to the first hit once the newest have come. */
  searchAll(by = 0) {
    const query = this.wholeQuery();
    if (query.q || query.level.length || query.stream.length) this.found.start(query, () => by && this.step(by));
  }

  hitWords() {
    const { search, found } = this;
    if (found.query) return found.short();
    return search.pattern ? hits(search.total) : "";
  }

  step(by) {
    const top = this.window.topRow();
    if (this.found.query && this.found.hits.length) {
      this.found.step(by, this.window.following ? Infinity : (top?.row.ms ?? 0));
      return;
    }
    const row = this.search.go(by, this.window.following ? this.rows.length - 1 : (top?.index ?? 0));
    if (row) this.mark(row);
  }

  mark(row) {
    const old = this.current;
    this.current = row;
    for (const one of [old, row]) this.window.redraw(one);
    this.show(row);
    this.bar.showHits();
  }

  /** Shows a hit of the whole log, with what is around it. */
  async showHit(hit, { host, id }) {
    const place = this.targets.findIndex((one) => one.key === `${host}/${id}`);
    const row = await this.position.reach(place, hit.stamp, hit.ordinal);
    if (row) this.mark(row);
  }
}

customElements.define("log-view", LogView);
