// <log-view targets="fra-1/web fra-1/db" names="web db" tail="500" download="...">: the live log of one or more containers.
// Reads /ws/logs (docs/sockets.md). Keys: / search, f follow, w wrap, t timestamps, Home, End.
import { el, isTyping, onTheme } from "dermaga/dom";
import { LogBar } from "dermaga/log-bar";
import { drawHistogram } from "dermaga/log-histogram";
import { LogSearch } from "dermaga/log-search";
import { CAPACITY, LogStore } from "dermaga/log-store";
import { clock } from "dermaga/log-row";
import { LogWindow } from "dermaga/log-window";
import { Stream } from "dermaga/stream";
import { number, t } from "dermaga/words";

const EVERY_MS = 1000;
const RATE_SECONDS = 5;
const QUIET_STATES = new Set(["connecting", "live"]);
const FINE_STATES = new Set(["resumed", "restarted", "ended", "live"]);
const GAP_REASONS = { rotated: "rotated away by the engine" };

/** A list in an attribute: JSON, or words between spaces. */
function listed(text) {
  const trimmed = (text ?? "").trim();
  return trimmed.startsWith("[") ? JSON.parse(trimmed) : trimmed.split(/\s+/).filter(Boolean);
}

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
    const asked = listed(this.getAttribute("targets"));
    this.choice = JSON.parse(this.getAttribute("choice") ?? JSON.stringify({ target: asked }));
    this.targets = this.choice.target.map((title) => ({ title, name: title.split("/").slice(1).join("/") }));
    this.showNames = this.hasAttribute("choice");
    this.showTimes = remembered("times", "yes");
    this.wrapped = remembered("wrap", innerWidth < 820 ? "yes" : "no");
    this.only = { level: new Set(), stream: new Set() };
    this.store = new LogStore(this.targets);
    this.window = new LogWindow(this, (atEnd, up) => this.readerMoved(atEnd, up));
    this.search = new LogSearch(this.window.shown, () => this.searchMoved());
    this.bar = new LogBar(this);
    this.fresh = 0;
    this.arrivals = [];
    this.lost = new Set();
    this.build();
    this.stream = new Stream("/ws/logs?by=message", {
      message: (message) => this.receive(message),
      open: () => {
        this.stream.send(this.wanted());
        this.say("");
      },
      lost: () => this.say(t("Connection lost, trying again")),
      refused: (code, reason) => this.refused(code, reason),
    });
    this.timer = setInterval(() => this.everySecond(), EVERY_MS);
    this.keys = (event) => this.pressed(event);
    document.addEventListener("keydown", this.keys);
    this.stopTheme = onTheme(() => this.everySecond());
  }

  disconnectedCallback() {
    this.stream.end();
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

  build() {
    this.histogram = el("canvas", { class: "log-histogram", "aria-hidden": "true" });
    this.status = el("div", { class: "log-status", role: "status", hidden: true });
    this.older = el("div", { class: "log-status", hidden: true });
    this.blank = el("div", { class: "log-blank muted" }, t("No lines yet. New ones appear here by themselves."));
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names: this.targets.map((one) => one.title).join(", ") }));
    this.scroller.addEventListener("click", (event) => this.unfold(event));
    this.scroller.addEventListener("pointerup", () => {
      const selection = document.getSelection();
      if (!selection.isCollapsed && this.scroller.contains(selection.anchorNode)) this.pause("button");
    });
    this.classList.toggle("log-wrapped", this.wrapped);
    this.classList.toggle("log-named", this.showNames);
    this.replaceChildren(this.bar.node, this.histogram, this.older, this.scroller, this.status);
    this.scroller.append(this.blank);
  }

  /** What the socket is asked for; after a lost one the log goes on from the last line that is here. */
  wanted() {
    const from = this.store.resume();
    if (from !== null) return { ...this.choice, tail: "all", since: from };
    return { ...this.choice, tail: this.getAttribute("tail") || "500" };
  }

  // ------------------------------------------------------------ what arrives

  receive(message) {
    if (message.t === "lines") this.take(this.store.addLines(message.lines));
    else if (message.t === "gap") this.take([this.store.addNote("gap", message.target, this.gapWords(message), true)]);
    else if (message.t === "skipped") {
      const words = t("%(n)s lines skipped: this browser was too slow", { n: number(message.count) });
      this.take([this.store.addNote("skipped", message.target, words, true)]);
    } else if (message.t === "state") this.stateChanged(message);
    else if (message.t === "targets") this.named(message.targets);
    else if (message.t === "end") this.ended();
    else if (message.t === "error") this.say(message.reason ?? message.text, true);
  }

  /** The server's names for the targets: they may have been asked for by id. */
  named(targets) {
    targets.forEach(({ host, name }, n) => {
      this.targets[n] = { ...this.targets[n], name, shown: `${host}/${name}` };
    });
    const names = this.targets.map((one) => one.shown ?? one.title).join(", ");
    this.scroller.setAttribute("aria-label", t("Log of %(names)s", { names }));
  }

  /** A log that was asked for without following has been read to its end. */
  ended() {
    this.stream.end();
    this.say(t("End of the log."));
  }

  gapWords({ from, to, reason }) {
    return t("lines from %(from)s to %(to)s are missing: %(reason)s", { from: clock(from) || "?", to: clock(to) || "?", reason: t(GAP_REASONS[reason] ?? reason ?? "") });
  }

  stateChanged({ target, state, reason, text }) {
    const wasLost = this.lost.delete(target);
    if (QUIET_STATES.has(state) && !(wasLost && state === "live")) return; // the usual start needs no words
    if (!FINE_STATES.has(state)) this.lost.add(target);
    const words = [t(state.replaceAll("_", " ")), text ?? reason].filter(Boolean).join(": ");
    this.take([this.store.addNote("state", target, words, !FINE_STATES.has(state))]);
  }

  take(rows) {
    let added = 0;
    for (const row of rows) {
      if (!this.isShown(row)) continue;
      this.window.add(row);
      added += 1;
    }
    if (!this.window.following) this.fresh += added;
    this.arrivals.push([performance.now(), rows.length]);
    const first = this.store.trim();
    if (first !== null) this.letGo(first);
    this.blank.hidden = this.store.rows.length > 0;
    this.search.more();
    this.window.soon();
    if (!this.window.following) this.bar.showFollow(false, this.fresh);
  }

  letGo(first) {
    this.window.dropBefore(first);
    this.search.dropBefore(first);
    this.older.hidden = false;
    const values = { n: number(this.store.dropped), held: number(CAPACITY) };
    this.older.textContent = t("%(n)s older lines were let go (the page holds %(held)s); the download has them all", values);
  }

  isShown(row) {
    if (row.kind !== "line") return true;
    if (this.only.level.size && !this.only.level.has(row.level)) return false;
    return !this.only.stream.size || this.only.stream.has(row.stream);
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

  everySecond() {
    if (document.hidden) return;
    const from = performance.now() - RATE_SECONDS * 1000;
    this.arrivals = this.arrivals.filter(([at]) => at > from);
    const rate = this.arrivals.reduce((sum, [, count]) => sum + count, 0) / RATE_SECONDS;
    this.bar.showCounts(this.store.counts, rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10);
    drawHistogram(this.histogram, this.store.rows);
  }

  // ------------------------------------------------------------ what the reader does

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || document.querySelector("dialog:modal")) return;
    const act = { f: "follow", w: "wrap", t: "times" }[event.key];
    if (act) this.toggle(act);
    else if (event.key === "End") this.resume();
    else if (event.key === "Home") {
      this.pause("button");
      this.scroller.scrollTop = 0;
    } else return;
    event.preventDefault();
  }

  toggle(name) {
    if (name === "follow") {
      if (this.window.following) this.pause("button");
      else this.resume();
      return;
    }
    if (name === "times") this.showTimes = !this.showTimes;
    else this.wrapped = !this.wrapped;
    remember(name, name === "times" ? this.showTimes : this.wrapped);
    this.classList.toggle("log-wrapped", this.wrapped);
    this.bar.showSwitches();
    this.rebuild();
  }

  rebuild() {
    this.window.replace(this.store.rows.filter((row) => this.isShown(row)));
  }

  /** A press on a filter; with none pressed all rows show. Returns whether it is pressed now. */
  onlyThese(kind, name) {
    const chosen = this.only[kind];
    if (!chosen.delete(name)) chosen.add(name);
    this.rebuild();
    this.search.restart();
    return chosen.has(name);
  }

  pause(by) {
    this.pausedBy = by;
    if (!this.window.following) return;
    this.window.following = false;
    this.fresh = 0;
    this.bar.showFollow(false, 0);
  }

  resume() {
    this.window.following = true;
    this.fresh = 0;
    this.bar.showFollow(true, 0);
    this.window.draw();
  }

  readerMoved(atEnd, up) {
    if (this.window.following && up && !atEnd) this.pause("scroll");
    else if (!this.window.following && atEnd && !up && this.pausedBy === "scroll") this.resume();
  }

  unfold(event) {
    const seq = Number(event.target.dataset?.whole ?? NaN);
    const row = this.store.rows.find((one) => one.seq === seq);
    if (!row) return;
    row.full = true;
    this.window.redraw(seq);
  }

  // ------------------------------------------------------------ search

  /** Searches for `query`; returns what is wrong with a regular expression, or "". */
  find(query, isRegex) {
    try {
      this.search.set(query, isRegex);
      return "";
    } catch (error) {
      return error.message.replace(/^Invalid regular expression: /, "");
    } finally {
      this.window.forget();
      this.window.soon();
    }
  }

  searchMoved() {
    this.bar.showHits();
  }

  step(by) {
    const old = this.search.hits[this.search.current];
    const seq = this.search.go(by, this.window.topRow()?.seq ?? 0);
    if (seq === null) return;
    this.pause("button");
    for (const one of [old, seq]) if (one !== undefined) this.window.redraw(one);
    this.window.show(seq);
    this.bar.showHits();
  }
}

customElements.define("log-view", LogView);
