// The bar above a log: search, filters, time, switches. Builds the elements and hands presses to the view.
import { el, icon } from "dermaga/dom";
import { downloadMenu, lookMenu, timeMenu } from "dermaga/log-menus";
import { number, t } from "dermaga/words";

const LEVELS = [["error", "Errors"], ["warn", "Warnings"], ["info", "Info"], ["debug", "Debug"]];
const STREAMS = ["stdout", "stderr"];

function chip(label, title, pressed, press, drawing) {
  const count = el("span", { class: "chip-count" });
  const content = drawing ? [icon(drawing), el("span", { class: "sr" }, label)] : [label, count];
  const node = el("button", { type: "button", class: "chip", title, "aria-pressed": String(pressed) }, ...content);
  node.addEventListener("click", press);
  node.count = count;
  return node;
}

export class LogBar {
  /** `view` is the log view: find(query), searchAll(), step(n), toggle(name), onlyThese(kind, name), goTo(stamp). */
  constructor(view) {
    this.view = view;
    this.field = el("input", { type: "search", "data-slash": true, placeholder: t("Search this log"), "aria-label": t("Search in this log"), autocomplete: "off", spellcheck: "false", maxlength: "1000" });
    this.field.value = view.query.q;
    this.hits = el("span", { class: "log-hits", role: "status" });
    this.regex = chip(".*", t("Search by regular expression"), view.query.regex, () => this.flip(this.regex));
    this.regex.setAttribute("aria-label", t("Search by regular expression"));
    this.case = chip("Aa", t("Tell capital letters from small ones"), view.query.case, () => this.flip(this.case));
    this.case.setAttribute("aria-label", t("Tell capital letters from small ones"));
    this.field.addEventListener("input", () => this.searched());
    this.field.addEventListener("keydown", (event) => this.typed(event));
    this.filters = new Map();
    this.rate = el("span", { class: "log-rate muted" });
    this.look = lookMenu((name) => view.toggle(name));
    this.wrap = chip(t("Wrap lines"), t("Wrap lines (w)"), view.wrapped, () => view.toggle("wrap"), "text-wrap");
    this.followWords = el("span", {}, t("Following"));
    this.follow = el("button", { type: "button", class: "chip log-follow", "aria-pressed": "true", title: t("Follow (f)") }, icon("player-pause"), this.followWords);
    this.follow.addEventListener("click", () => view.toggle("follow"));
    this.node = el("div", { class: "filters log-bar" }, ...this.parts());
    this.showSwitches();
  }

  parts() {
    const next = el("button", { type: "button", class: "icon-button", "aria-label": t("Next hit"), title: t("Next hit (n)"), onclick: () => this.view.step(1) }, icon("chevron-down"));
    const previous = el("button", { type: "button", class: "icon-button", "aria-label": t("Previous hit"), title: t("Previous hit (N)"), onclick: () => this.view.step(-1) }, icon("chevron-up"));
    this.whole = el("button", { type: "button", class: "icon-button", "aria-label": t("Search the whole log"), title: t("Search the whole log (Enter)"), onclick: () => this.view.searchAll() }, icon("list-search"));
    this.steps = el("span", { class: "log-steps none" }, this.whole, previous, next);
    const box = el("div", { class: "search round log-search" }, icon("search"), this.field, el("span", { class: "log-search-end" }, this.hits, this.regex, this.case));
    const levels = LEVELS.map(([name, label]) => this.filter("level", name, t(label)));
    levels.at(-1).hidden = !this.view.only.level.has("debug");
    const streams = STREAMS.map((name) => this.filter("stream", name, name));
    this.time = timeMenu((stamp) => this.view.goTo(stamp), () => this.view.resume());
    const right = el("span", { class: "row push" }, this.rate, this.wrap, this.look.node, downloadMenu(this.view), this.follow);
    return [box, this.steps, ...levels, ...streams, this.time.node, right];
  }

  filter(kind, name, label) {
    const node = chip(label, t("Show only %(what)s", { what: label }), this.view.only[kind].has(name), () => {
      const on = this.view.onlyThese(kind, name);
      node.setAttribute("aria-pressed", String(on));
    });
    this.filters.set(name, node);
    return node;
  }

  flip(node) {
    node.setAttribute("aria-pressed", String(node.getAttribute("aria-pressed") !== "true"));
    this.searched();
  }

  /** What is searched for: {q, regex, case}. */
  get query() {
    const isOn = (node) => node.getAttribute("aria-pressed") === "true";
    return { q: this.field.value, regex: isOn(this.regex), case: isOn(this.case) };
  }

  searched() {
    const problem = this.view.find(this.query);
    this.field.setAttribute("aria-invalid", String(Boolean(problem)));
    this.problem = problem ? t("Not a regular expression: %(why)s", { why: problem }) : "";
    this.showHits();
  }

  typed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.view.entered(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      this.field.value = "";
      this.searched();
      this.view.scroller.focus();
    }
  }

  showHits() {
    const words = this.problem || this.view.hitWords();
    if (this.hits.textContent !== words) this.hits.textContent = words;
    this.hits.title = words;
    this.hits.classList.toggle("bad", Boolean(this.problem));
    this.steps.classList.toggle("none", !this.field.value); // hidden in place: nothing moves
  }

  showCounts(counts, perSecond) {
    this.filters.get("debug").hidden = !counts.debug && !this.view.only.level.has("debug");
    for (const [name, node] of this.filters) {
      const words = counts[name] && !STREAMS.includes(name) ? number(counts[name]) : "";
      if (node.count.textContent !== words) node.count.textContent = words;
    }
    this.rate.textContent = perSecond ? t("%(n)s lines/s", { n: number(perSecond) }) : "";
  }

  /** `mode`: following, paused, or away (the newest lines are not here). */
  showFollow(mode, fresh) {
    this.follow.setAttribute("aria-pressed", String(mode === "following"));
    const drawing = { following: "player-pause", paused: "player-play", away: "player-skip-forward" }[mode];
    this.follow.querySelector("use").setAttribute("href", icon(drawing).querySelector("use").getAttribute("href"));
    const resting = fresh ? t("%(n)s new lines", { n: number(fresh) }) : t("Paused");
    const words = { following: t("Following"), paused: resting, away: t("Back to now") }[mode];
    if (this.followWords.textContent !== words) this.followWords.textContent = words;
  }

  showSwitches() {
    this.look.show({ times: this.view.showTimes, fields: this.view.showFields });
    this.wrap.setAttribute("aria-pressed", String(this.view.wrapped));
  }
}
