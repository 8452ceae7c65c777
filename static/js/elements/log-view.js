// <log-view targets='["fra-1/web"]' | choice='{"target": [], "host": ["fra-1"], "project": []}' tail="500" download="...">:
// the log of one or many containers in one order of time, live or around a time. docs/logs.md says what it can do.
// Keys: / search, n N hits, f follow, w wrap, t timestamps, j fields, l link, Home, End.
import { el, isTyping, onTheme } from "dermaga/dom";
import { LogBar } from "dermaga/log-bar";
import { drawHistogram } from "dermaga/log-histogram";
import { LogHits } from "dermaga/log-hits";
import { LEVELS, STREAMS, momentOf, stampOf } from "dermaga/log-line";
import { LogLive } from "dermaga/log-live";
import { LogPages } from "dermaga/log-pages";
import { LogReader } from "dermaga/log-reader";
import { when } from "dermaga/log-row";
import { LogSearch } from "dermaga/log-search";
import { LIVE_ROOM, LogStore, ROOM } from "dermaga/log-store";
import { readUrl, writeUrl } from "dermaga/log-url";
import { LogWindow } from "dermaga/log-window";
import { toast } from "dermaga/toasts";
import { hits, number, t } from "dermaga/words";

const EVERY_MS = 1000;
const RATE_SECONDS = 5;
const URL_MS = 300;
const GAP_REASONS = { rotated: "rotated away by the engine" };

function remembered(name, otherwise) {
  try {
    return (localStorage.getItem(`log-${name}`) ?? otherwise) === "yes";
  } catch {
    return otherwise === "yes";
  }
}

function remember(name, on) {
  try {
    localStorage.setItem(`log-${name}`, on ? "yes" : "no");
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}

class LogView extends HTMLElement {
  connectedCallback() {
    const asked = JSON.parse(this.getAttribute("targets") ?? "[]");
    this.choice = JSON.parse(this.getAttribute("choice") ?? JSON.stringify({ target: asked }));
    this.tail = this.getAttribute("tail") || "500";
    this.showNames = this.hasAttribute("choice");
    this.targets = [];
    Object.assign(this, readUrl(location.search));
    this.showTimes = remembered("times", "yes");
    this.showFields = remembered("fields", "yes");
    this.wrapped = remembered("wrap", innerWidth < 820 ? "yes" : "no");
    this.fresh = 0;
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

  build() {
    this.window = new LogWindow(this, (atEnd, up) => this.readerMoved(atEnd, up), (top, end) => this.nearEnd(top, end));
    this.store = new LogStore((row) => this.window.guess(row), (change) => this.window.keeping(change));
    this.pages = new LogPages();
    this.reader = new LogReader(this.store, this.pages, (place) => this.targets[place].key, (place, words) => this.unread(place, words), (rows) => this.search.added(rows));
    this.live = new LogLive(this);
    this.search = new LogSearch(this.rows, (row) => this.isShown(row), () => this.bar.showHits());
    this.found = new LogHits(this, () => this.bar?.showHits());
    this.bar = new LogBar(this);
    this.histogram = el("canvas", { class: "log-histogram", "aria-hidden": "true", title: t("Lines over time, errors in red: click to go there") });
    this.status = el("div", { class: "log-status", role: "status", hidden: true });
    this.older = el("button", { type: "button", class: "chip log-older", hidden: true, onclick: () => this.readOlder() }, t("Load older lines"));
    this.blank = el("div", { class: "log-blank muted", hidden: true }, t("No lines yet. New ones appear here by themselves."));
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names: (this.choice.target ?? []).join(", ") }));
    this.scroller.addEventListener("click", (event) => this.clicked(event));
    this.scroller.addEventListener("pointerup", () => {
      const selection = document.getSelection();
      if (!selection.isCollapsed && this.scroller.contains(selection.anchorNode)) this.pause("button");
    });
    this.histogram.addEventListener("click", (event) => this.histogramClicked(event));
    this.classList.toggle("log-wrapped", this.wrapped);
    this.classList.toggle("log-named", this.showNames);
    const middle = el("div", { class: "log-middle" }, this.scroller, this.older, this.blank);
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
    if (!this.showNames && this.targets.length > 1) this.showNames = true;
    const names = this.targets.slice(0, 5).map((one) => one.shown).join(", ");
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names }));
    this.tellCount();
    this.bar.leftOut = leftOut;
    if (this.at || this.line) this.openAway();
    return places;
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
    if (line) this.goToLine(line);
    else this.goTo(at);
  }

  arrived(count) {
    if (count) this.arrivals.push([performance.now(), count]);
  }

  /** Rows came that are ready to be shown. */
  added(rows) {
    if (!this.store.settled) {
      const first = rows.filter((row) => row.kind !== "line");
      this.store.show(first);
      this.blank.hidden = true;
      return;
    }
    this.store.show(rows);
    this.search.added(rows);
    if (this.window.following) this.search.dropped(this.store.trim());
    else {
      this.fresh += rows.filter((row) => this.isShown(row)).length;
      if (this.rows.length > ROOM) this.leaveLive();
      this.showFollow();
    }
    this.blank.hidden = this.rows.length > 0;
    this.window.soon();
  }

  /** The past has come. */
  settled() {
    this.blank.hidden = this.rows.length > 0;
    this.search.added([...this.rows]);
    this.window.soon();
    this.everySecond(true);
    if (this.rows.length < 200) this.readOlder();
    else this.showOlder();
  }

  gapWords({ from, to, reason }) {
    const words = (stamp) => (stamp ? when(momentOf(stamp)[0]) : "?");
    return t("lines from %(from)s to %(to)s are missing: %(reason)s", { from: words(from), to: words(to), reason: t(GAP_REASONS[reason] ?? reason ?? "") });
  }

  skippedWords(count) {
    return t("%(n)s lines skipped: this browser was too slow", { n: number(count) });
  }

  refused(code, reason) {
    const words = { 4403: t("Your role does not allow this."), 4404: t("This container is gone."), 4429: t("Too many logs are open. Close one and load this page again.") };
    this.say(reason || words[code] || t("The server closed the log (%(code)s).", { code }), true);
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
    const from = performance.now() - RATE_SECONDS * 1000;
    this.arrivals = this.arrivals.filter(([at]) => at > from);
    const rate = this.arrivals.reduce((sum, [, count]) => sum + count, 0) / RATE_SECONDS;
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
    this.showOlder();
    this.tellUrl();
    return chosen.has(name);
  }

  toggle(name) {
    if (name === "follow") {
      if (this.window.following) this.pause("button");
      else this.resume();
      return;
    }
    const property = { times: "showTimes", wrap: "wrapped", fields: "showFields" }[name];
    this[property] = !this[property];
    remember(name, this[property]);
    this.classList.toggle("log-wrapped", this.wrapped);
    this.bar.showSwitches();
    this.window.replace();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || document.querySelector("dialog:modal, [popover]:popover-open")) return;
    const acts = {
      f: () => this.toggle("follow"),
      w: () => this.toggle("wrap"),
      t: () => this.toggle("times"),
      j: () => this.toggle("fields"),
      n: () => this.step(1),
      N: () => this.step(-1),
      l: () => this.link(this.chosen ?? this.current ?? this.window.topRow()?.row),
      End: () => this.resume(),
      Home: () => this.toTop(),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
  }

  toTop() {
    this.pause("button");
    this.scroller.scrollTop = 0;
    this.readOlder();
  }

  // ------------------------------------------------------------ following, pausing, other times

  get isAway() {
    return !this.live.isOpen;
  }

  showFollow() {
    const mode = this.window.following ? "following" : this.isAway ? "away" : "paused";
    this.bar.showFollow(mode, this.fresh);
  }

  pause(by) {
    this.pausedBy = by;
    if (!this.window.following) return;
    this.window.following = false;
    this.fresh = 0;
    this.showFollow();
  }

  /** To the newest lines, which are read anew when they are not here. */
  resume() {
    if (this.isAway) this.startAnew();
    this.window.following = true;
    this.fresh = 0;
    this.at = "";
    this.store.room = Math.min(ROOM, Math.max(LIVE_ROOM, this.rows.length));
    this.showFollow();
    this.tellUrl();
    this.window.draw();
  }

  startAnew() {
    this.reader.cancel();
    this.forgetRows();
    this.store.clear();
    this.targets.forEach((_one, place) => this.store.log(place));
    this.live.begin();
  }

  forgetRows() {
    this.current = this.chosen = null;
    this.window.forget();
    this.search.restart();
  }

  /** The newest lines are no longer held: the reader is elsewhere. */
  leaveLive() {
    this.live.flush(true);
    this.live.end();
    this.store.trimBack();
    for (const log of this.store.all) log.ended = false;
    this.search.restart();
    this.showFollow();
  }

  /** Shows what is around a time. */
  async goTo(stamp) {
    if (!(await this.readAround(stamp))) return;
    this.at = stamp;
    this.tellUrl();
    const row = this.firstFrom(Date.parse(stamp));
    if (row) this.window.show(row);
    else this.scroller.scrollTop = this.rows.height;
  }

  firstFrom(ms) {
    for (const { rows } of this.rows.blocks) {
      const found = rows.find((row) => row.ms >= ms && this.isShown(row));
      if (found) return found;
    }
    return null;
  }

  async readAround(stamp) {
    this.live.end();
    this.pause("button");
    this.forgetRows();
    this.showFollow();
    this.say(t("Reading %(n)s logs", { n: number(this.targets.length) }));
    const isDone = await this.reader.around(stamp, this.targets.map((_one, place) => place));
    if (!isDone) return false;
    this.say("");
    this.blank.hidden = this.rows.length > 0;
    this.forgetRows();
    this.everySecond(true);
    this.showOlder();
    return true;
  }

  /** Shows a line of a link, with what is around it. */
  async goToLine({ key, stamp, ordinal }) {
    const place = this.targets.findIndex((one) => one.key === key || one.key.startsWith(key) || one.shown === key);
    const found = await this.reach(place, stamp, ordinal);
    if (found === undefined) return;
    if (!found) this.say(t("This line is gone: the engine no longer has it."), true);
    this.chosen = found;
    this.show(found);
    this.tellUrl();
  }

  /** The row of a line: read from the engine when it is not here. undefined when something else was asked meanwhile. */
  async reach(place, stamp, ordinal) {
    const [ms, ns] = momentOf(stamp);
    const here = this.store.lookUp(place, ms, ns, ordinal);
    if (here) return here;
    if (!(await this.readAround(stamp))) return undefined;
    return this.store.lookUp(place, ms, ns, ordinal);
  }

  show(row) {
    if (!row) return;
    this.pause("button");
    this.window.redraw(row);
    this.window.show(row);
  }

  readerMoved(atEnd, up) {
    if (this.window.following && up && !atEnd) this.pause("scroll");
    else if (!this.window.following && !this.isAway && atEnd && !up && this.pausedBy === "scroll") this.resume();
    this.showOlder();
  }

  /** Near an end of what is here the next part is read. */
  nearEnd(top, end) {
    if (top && !this.window.following) this.readOlder();
    if (end && this.isAway) this.readNewer();
  }

  async readOlder() {
    if (!this.store.settled || this.reading || !this.reader.hasOlder) return;
    this.reading = true;
    this.store.room = ROOM;
    try {
      await this.reader.older();
      if (this.rows.length > ROOM) this.leaveLive();
    } finally {
      this.reading = false;
    }
    this.blank.hidden = this.rows.length > 0;
    this.showOlder();
    this.everySecond();
  }

  async readNewer() {
    if (this.readingNewer || !this.store.settled) return;
    this.readingNewer = true;
    try {
      if (this.reader.hasNewer) await this.reader.newer();
      this.search.dropped(this.store.trim(ROOM));
      if (this.isAway && !this.reader.hasNewer) this.live.begin(); // it goes on behind what is here
    } finally {
      this.readingNewer = false;
    }
    this.showFollow();
    this.window.soon();
  }

  /** The button for older lines shows when there is nothing to scroll. */
  showOlder() {
    const atTop = this.scroller.scrollTop < 1 && !this.window.following;
    const isShort = this.rows.height < this.scroller.clientHeight;
    this.older.hidden = !(this.store.settled && this.reader.hasOlder && (atTop || isShort));
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
    } else if (node.dataset.act === "fill") this.fill(row, node);
    else this.link(row);
  }

  /** Reads the lines that a row stands for. */
  async fill(note, button) {
    const { before, from, count } = note.note;
    button.disabled = true;
    try {
      const { rows } = await this.reader.fill(note.target, before, from, count);
      this.window.keeping(() => this.rows.remove(note));
      this.store.show(rows, { before: true, behind: before });
      this.search.added(rows);
      if (rows.length && rows.length < count) this.stillSkipped(note, rows, count);
    } catch (error) {
      button.disabled = false;
      this.say(error.message, true);
    }
  }

  stillSkipped(note, rows, count) {
    const left = count - rows.length;
    note.text = this.skippedWords(left);
    note.head = rows.at(-1).head ?? rows.at(-1);
    note.note = { ...note.note, count: left, before: rows.at(-1) };
    this.store.show([note]);
    this.window.redraw(note);
  }

  lineOf(row) {
    return `${this.targets[row.target].key}/${stampOf(row)}/${this.store.ordinal(row)}`;
  }

  linkTo(row) {
    return writeUrl(location.search, { ...this, line: `${this.targets[row.target].key}/${stampOf(row)}/0` });
  }

  /** Chooses a line: the address leads to it from now on, and is copied. */
  async link(row) {
    if (!row || row.kind !== "line") return;
    this.pause("button");
    const old = this.chosen;
    this.chosen = row;
    for (const one of [old, row]) this.window.redraw(one);
    this.tellUrl(true);
    try {
      await navigator.clipboard.writeText(location.href);
      toast(t("The link to this line is copied"));
    } catch {
      toast(t("The address leads to this line now"));
    }
  }

  tellUrl(now = false) {
    clearTimeout(this.urlTimer);
    const write = () => {
      const line = this.chosen && this.rows.indexOf(this.chosen) >= 0 ? this.lineOf(this.chosen) : null;
      history.replaceState(history.state, "", `${location.pathname}${writeUrl(location.search, { ...this, line })}`);
    };
    if (now) write();
    else this.urlTimer = setTimeout(write, URL_MS);
  }

  histogramClicked(event) {
    const ms = this.timeAt?.(event.offsetX);
    const row = ms ? this.firstFrom(ms) : null;
    if (!row) return;
    this.pause("button");
    this.window.show(row);
  }

  downloadUrl(query) {
    const own = new URLSearchParams(location.search);
    if (this.hasAttribute("choice")) for (const name of ["target", "host", "project"]) for (const value of own.getAll(name)) query.append(name, value);
    return `${this.getAttribute("download")}?${query}`;
  }

  // ------------------------------------------------------------ search

  /** Searches what is here; returns what is wrong with a regular expression, or "". */
  find(query) {
    this.query = query;
    this.current = null;
    if (!this.found.isFor(this.wholeQuery())) this.found.clear();
    this.tellUrl();
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
    const row = await this.reach(place, hit.stamp, hit.ordinal);
    if (row) this.mark(row);
  }
}

customElements.define("log-view", LogView);
