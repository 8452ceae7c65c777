// The live end of a merged log: the socket, its targets, and a moment of patience in which lines of several containers
// come into the order of time.
import { compareRows } from "dermaga/log-rows";
import { noteRow } from "dermaga/log-line";
import { gapWords, skippedWords } from "dermaga/log-notes";
import { Stream } from "dermaga/stream";
import { t } from "dermaga/words";

const PATIENCE_MS = 500; // lines of several containers wait so long for earlier ones
const PAST_MS = 2500; // then what has come of the past is shown, whoever is still missing
const TOGETHER_MS = 250; // states of containers of one host are said in one row
const QUIET = new Set(["connecting", "live"]);
const FINE = new Set(["resumed", "restarted", "ended", "live"]);

export class LogLive {
  /** `view` gives store, choice, tail, targets, and hears added(rows), settled(), named(message), say(words, grave),
      refused(code, reason). */
  constructor(view) {
    this.view = view;
    this.held = []; // [[arrival, rows], ...]
    this.states = [];
    this.lost = new Set();
    this.map = [];
  }

  get isOpen() {
    return Boolean(this.stream);
  }

  /** Follows: from the last lines on, or behind what the store has. */
  begin() {
    this.end();
    this.stream = new Stream("/ws/logs?by=message", {
      message: (message) => this.receive(message),
      open: () => {
        this.stream.send(this.wanted());
        this.view.say("");
      },
      lost: () => this.view.say(t("Connection lost, trying again")),
      refused: (code, reason) => this.view.refused(code, reason),
    });
  }

  end() {
    this.stream?.end();
    this.stream = null;
    for (const timer of [this.timer, this.pastTimer, this.stateTimer]) clearTimeout(timer);
    this.timer = this.pastTimer = this.stateTimer = null;
    this.held = [];
  }

  wanted() {
    this.flush(true);
    const { store, choice, targets, tail } = this.view;
    const behind = {};
    for (const log of store.all) {
      if (!log.came) {
        log.past = [];
        log.last = null;
        continue;
      }
      const place = store.backOf(log);
      if (place) behind[targets[log.place].key] = place;
    }
    if (!store.settled) this.pastTimer = setTimeout(() => this.settle(), PAST_MS);
    return { ...choice, tail, behind };
  }

  // ------------------------------------------------------------ what arrives

  receive(message) {
    const { view } = this;
    if (message.target !== undefined) message.target = this.map[message.target];
    if (message.t === "lines") this.take(message.lines);
    else if (message.t === "targets") this.map = view.named(message);
    else if (message.t === "past") this.past(message.target, message.whole);
    else if (message.t === "gap") this.note("gap", message.target, gapWords(message), { grave: true });
    else if (message.t === "skipped") this.skipped(message);
    else if (message.t === "state") this.state(message);
    else if (message.t === "error") view.say(message.reason ?? message.text, true);
  }

  take(lines) {
    for (const line of lines) line[0] = this.map[line[0]];
    this.add(this.view.store.take(lines), lines.length);
  }

  add(rows, count = 0) {
    this.view.arrived(count);
    if (!rows.length) return;
    this.held.push([performance.now(), rows]);
    if (this.view.targets.length < 2) this.flush(true);
    else this.timer ??= setTimeout(() => this.flush(), PATIENCE_MS);
  }

  /** Shows what has waited long enough, or all. */
  flush(all = false) {
    clearTimeout(this.timer);
    this.timer = null;
    const until = performance.now() - PATIENCE_MS;
    let count = this.held.findIndex(([at]) => at > until);
    if (all || count < 0) count = this.held.length;
    const rows = this.held.splice(0, count).flatMap(([, some]) => some);
    if (this.held.length) this.timer = setTimeout(() => this.flush(), Math.max(20, this.held[0][0] - until));
    if (rows.length) this.view.added(rows.sort(compareRows));
  }

  past(place, whole) {
    const { store } = this.view;
    if (store.came(place, whole) && !store.settled) this.settle();
    else if (store.settled) this.settle(); // one that joined or came back
  }

  settle() {
    clearTimeout(this.pastTimer);
    this.view.store.settle();
    this.view.settled();
  }

  // ------------------------------------------------------------ rows between lines

  note(kind, place, words, more = {}) {
    const behind = this.view.store.log(place).last;
    this.add([noteRow(kind, place, words, { behind, ...more })]);
  }

  skipped({ target, count, from, to }) {
    this.note("skipped", target, skippedWords(count), { grave: true, count, from, to, before: this.view.store.log(target).last });
  }

  state({ target, state, code, reason, text }) {
    const wasLost = this.lost.delete(target);
    if (state === "unreadable" || state === "lost" || code === "removed") this.past(target, false); // none for now
    if (QUIET.has(state) && !(wasLost && state === "live")) return; // the usual start needs no words
    if (!FINE.has(state)) this.lost.add(target);
    this.states.push({ target, state, words: [t(state.replaceAll("_", " ")), text ?? reason].filter(Boolean).join(": ") });
    this.stateTimer ??= setTimeout(() => this.sayStates(), TOGETHER_MS);
  }

  /** A host that is lost loses all its containers: that is one row. */
  sayStates() {
    this.stateTimer = null;
    const groups = new Map();
    for (const one of this.states.splice(0)) {
      const key = `${this.view.targets[one.target]?.host} ${one.words}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    for (const [first, ...others] of groups.values()) {
      const grave = !FINE.has(first.state);
      const words = others.length ? `${this.view.targets[first.target].host}, ${t("%(n)s containers", { n: others.length + 1 })}: ${first.words}` : first.words;
      this.note("state", first.target, words, { grave, many: others.length > 0 });
    }
  }
}
