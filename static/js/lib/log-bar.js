// The bar above a log: search, filters, switches. Builds the elements and hands presses to the view.
import { el, icon } from "dermaga/dom";
import { hits, number, t } from "dermaga/words";

const LEVELS = [["error", "Errors"], ["warn", "Warnings"], ["info", "Info"]];
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
  /** `view` is the log view: search(query, isRegex), step(n), toggle(name), onlyThese(kind, name). */
  constructor(view) {
    this.view = view;
    this.field = el("input", { type: "search", "data-slash": true, placeholder: t("Search in this log"), "aria-label": t("Search in this log"), autocomplete: "off", spellcheck: "false" });
    this.hits = el("span", { class: "log-hits", role: "status" });
    this.regex = chip(".*", t("Search by regular expression"), false, () => this.toggleRegex());
    this.regex.setAttribute("aria-label", t("Search by regular expression"));
    this.field.addEventListener("input", () => this.searched());
    this.field.addEventListener("keydown", (event) => this.typed(event));
    this.filters = new Map();
    this.rate = el("span", { class: "log-rate muted" });
    this.times = chip(t("Timestamps"), t("Timestamps (t)"), view.showTimes, () => view.toggle("times"), "clock");
    this.wrap = chip(t("Wrap lines"), t("Wrap lines (w)"), view.wrapped, () => view.toggle("wrap"), "text-wrap");
    this.followWords = el("span", {}, t("Following"));
    this.follow = el("button", { type: "button", class: "chip log-follow", "aria-pressed": "true", title: t("Follow (f)") }, icon("player-pause"), this.followWords);
    this.follow.addEventListener("click", () => view.toggle("follow"));
    this.node = el("div", { class: "filters log-bar" }, ...this.parts());
  }

  parts() {
    const next = el("button", { type: "button", class: "icon-button", "aria-label": t("Next hit"), title: t("Next hit (Enter)"), onclick: () => this.view.step(1) }, icon("chevron-down"));
    const previous = el("button", { type: "button", class: "icon-button", "aria-label": t("Previous hit"), title: t("Previous hit (Shift+Enter)"), onclick: () => this.view.step(-1) }, icon("chevron-up"));
    this.steps = el("span", { class: "log-steps none" }, previous, next);
    const box = el("div", { class: "search round log-search" }, icon("search"), this.field, this.hits);
    const levels = LEVELS.map(([name, label]) => this.filter("level", name, t(label)));
    const streams = STREAMS.map((name) => this.filter("stream", name, name));
    const address = this.view.getAttribute("download");
    const download = address
      ? el("a", { class: "chip", href: address, download: "", title: t("Download the whole log") }, icon("download"), el("span", { class: "sr" }, t("Download the whole log")))
      : null;
    const right = el("span", { class: "row push" }, this.rate, this.times, this.wrap, download, this.follow);
    return [box, this.regex, this.steps, ...levels, ...streams, right];
  }

  filter(kind, name, label) {
    const node = chip(label, t("Show only %(what)s", { what: label }), false, () => {
      const on = this.view.onlyThese(kind, name);
      node.setAttribute("aria-pressed", String(on));
    });
    this.filters.set(name, node);
    return node;
  }

  toggleRegex() {
    this.regex.setAttribute("aria-pressed", String(!this.isRegex));
    this.searched();
  }

  get isRegex() {
    return this.regex.getAttribute("aria-pressed") === "true";
  }

  searched() {
    const problem = this.view.find(this.field.value, this.isRegex);
    this.field.setAttribute("aria-invalid", String(Boolean(problem)));
    this.problem = problem ? t("Not a regular expression: %(why)s", { why: problem }) : "";
    this.showHits();
  }

  typed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.view.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      this.field.value = "";
      this.searched();
      this.view.scroller.focus();
    }
  }

  showHits() {
    const { search } = this.view;
    let words = "";
    if (this.problem) words = this.problem;
    else if (search.pattern && search.current >= 0) words = t("%(n)s of %(total)s", { n: number(search.current + 1), total: number(search.hits.length) });
    else if (search.pattern) words = hits(search.total);
    if (this.hits.textContent !== words) this.hits.textContent = words;
    this.hits.title = words;
    this.hits.classList.toggle("bad", Boolean(this.problem));
    this.steps.classList.toggle("none", !search.hits.length); // hidden in place: nothing moves
  }

  showCounts(counts, perSecond) {
    for (const [name, node] of this.filters) {
      const words = counts[name] && !["stdout", "stderr"].includes(name) ? number(counts[name]) : "";
      if (node.count.textContent !== words) node.count.textContent = words;
    }
    this.rate.textContent = perSecond ? t("%(n)s lines/s", { n: number(perSecond) }) : "";
  }

  showFollow(following, fresh) {
    this.follow.setAttribute("aria-pressed", String(following));
    this.follow.querySelector("use").setAttribute("href", icon(following ? "player-pause" : "player-play").querySelector("use").getAttribute("href"));
    const words = following ? t("Following") : fresh ? t("%(n)s new lines", { n: number(fresh) }) : t("Paused");
    if (this.followWords.textContent !== words) this.followWords.textContent = words;
  }

  showSwitches() {
    this.times.setAttribute("aria-pressed", String(this.view.showTimes));
    this.wrap.setAttribute("aria-pressed", String(this.view.wrapped));
  }
}
