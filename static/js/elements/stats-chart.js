// <stats-chart target="fra-1/web" live> or <stats-chart host="fra-1" cpus="8">: stats of a container or of a host's sum.
// Live (/ws/stats, the last ten minutes, for as long as it is on screen) or from the history (the API), with zoom by
// dragging over a chart or by the buttons. The address keeps what is shown.
import { shortSpan } from "dermaga/ago-times";
import { el, icon, onTheme } from "dermaga/dom";
import { onLeave } from "dermaga/leaving";
import { RANGES, bounded, linesOf, moved, spanOf } from "dermaga/stats-history";
import { StatsPlots } from "dermaga/stats-plots";
import { SPAN_SECONDS, StatsSeries } from "dermaga/stats-series";
import { Stream } from "dermaga/stream";
import { t } from "dermaga/words";

const OFF_SCREEN_MS = 4000; // a tab that is hidden for longer costs its host no stream
const WAIT_MS = 2500; // a first sample is usually here by then: no words that flash
const AGAIN_MS = 30_000; // a range that ends now is read again; samples come as often
const NAMES = ["cpu", "memory", "limit", "net_rx", "net_tx", "block_read", "block_write", "pids"];
const now = () => Date.now() / 1000;

class StatsChart extends HTMLElement {
  connectedCallback() {
    this.series = new StatsSeries();
    this.plots = new StatsPlots((from, to) => this.go({ span: bounded(from, to, now()) }));
    this.status = el("div", { class: "notice", role: "status", hidden: true });
    this.replaceChildren(this.bar(), this.status, this.plots.element);
    this.stopTheme = onTheme(() => this.plots.rebuild());
    this.seen = () => this.visibility();
    document.addEventListener("visibilitychange", this.seen);
    this.stay = onLeave(() => this.rest());
    const first = spanOf(location.search, now()) ?? {};
    const usual = this.hasAttribute("live") ? "live" : "24h";
    this.show(first.span || (first.range && (first.range !== "live" || this.target)) ? first : { range: usual });
  }

  disconnectedCallback() {
    this.rest();
    this.stay();
    this.stopTheme();
    document.removeEventListener("visibilitychange", this.seen);
    this.plots.destroy();
    this.replaceChildren();
  }

  get target() {
    return this.getAttribute("target");
  }

  get address() {
    const [host, container] = (this.target ?? this.getAttribute("host")).split("/").map(encodeURIComponent);
    return container ? `/api/v1/containers/${host}/${container}/stats` : `/api/v1/hosts/${host}/stats`;
  }

  // ---------------------------------------------------------------- which time
  bar() {
    const names = { ...(this.target ? { live: t("Live") } : {}), "1h": t("1 hour"), "24h": t("24 hours"), "7d": t("7 days"), "30d": t("30 days"), "1y": t("1 year") };
    this.chips = Object.entries(names).map(([range, label]) => el("button", { type: "button", class: "chip", "data-range": range, onclick: () => this.go({ range }) }, label));
    const act = (name, label, factor, by) => el("button", { type: "button", class: "icon-button", "aria-label": t(label), title: t(label), onclick: () => this.step(factor, by) }, icon(name));
    this.words = el("span", { class: "muted stats-span" });
    const acts = [act("arrow-left", "Earlier", 1, -0.5), act("arrow-right", "Later", 1, 0.5), act("zoom-in", "Zoom in", 0.5, 0), act("zoom-out", "Zoom out", 2, 0)];
    return el("div", { class: "stats-bar" }, el("div", { class: "stats-ranges", role: "group", "aria-label": t("Time range") }, ...this.chips), this.words, el("div", { class: "stats-acts", role: "group", "aria-label": t("Zoom") }, ...acts));
  }

  step(factor, by) {
    this.go({ span: moved(this.span, factor, by, now()) });
  }

  /** Shows another time and keeps it in the address. */
  go(what) {
    const address = new URL(location.href);
    for (const name of ["range", "from", "to"]) address.searchParams.delete(name);
    for (const [name, value] of Object.entries(what.span ?? { range: what.range })) address.searchParams.set(name, value);
    history.replaceState(history.state, "", address);
    this.show(what);
  }

  show({ range, span }) {
    this.rest();
    this.range = range;
    this.chosen = span;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.dataset.range === range));
    this.say("");
    if (range === "live") this.follow();
    else this.read();
  }

  get span() {
    if (this.chosen) return this.chosen;
    const end = this.range === "live" ? (this.series.last?.seconds ?? now()) : Math.ceil(now());
    return { from: end - (RANGES[this.range] ?? SPAN_SECONDS), to: end };
  }

  rest() {
    this.stream?.end();
    this.stream = null;
    this.request?.abort();
    clearTimeout(this.timer);
    clearTimeout(this.leaving);
    clearTimeout(this.waiting);
    this.waiting = null;
    cancelAnimationFrame(this.frame);
    this.frame = null;
  }

  visibility() {
    clearTimeout(this.leaving);
    if (document.hidden) this.leaving = setTimeout(() => this.rest(), OFF_SCREEN_MS);
    else if (this.range === "live" ? !this.stream : !this.chosen) this.show({ range: this.range });
  }

  // ---------------------------------------------------------------- live
  follow() {
    this.words.textContent = t("The last 10 minutes, live");
    this.stream = new Stream(`/ws/stats?${new URLSearchParams({ target: this.target })}`, {
      message: (message) => this.receive(message),
      open: () => this.await(),
      lost: () => this.say(t("Connection lost, trying again")),
      refused: (code, reason) => this.say(reason || t("The server closed the stream (%(code)s).", { code })),
    });
    this.drawLive();
  }

  receive(message) {
    if (message.t === "stats") {
      this.heard();
      for (const sample of message.samples) if (sample[0] === 0) this.series.add(sample);
      this.frame ??= requestAnimationFrame(() => this.drawLive());
    } else if (message.t === "state") {
      const fine = ["connecting", "live", "resumed", "restarted"].includes(message.state);
      if (!fine) this.heard();
      this.say(fine ? "" : message.reason || message.text || t(message.state.replaceAll("_", " ")));
    } else if (message.t === "error") this.say(message.reason);
  }

  /** Charts that stay empty for a while say what they wait for. */
  await() {
    this.say("");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.say(t("Waiting for the first sample: the engine takes one every second, Podman every five.")), WAIT_MS);
  }

  /** Something came that says more. */
  heard() {
    clearTimeout(this.waiting);
    if (this.waiting) this.say("");
    this.waiting = null;
  }

  drawLive() {
    this.frame = null;
    const [time, ...columns] = this.series.columns;
    const lines = Object.fromEntries(NAMES.map((name, n) => [name, { avg: columns[n] }]));
    this.plots.draw({ time, lines }, this.span, false);
  }

  // ---------------------------------------------------------------- history
  async read() {
    const span = this.span;
    this.request = new AbortController();
    const { signal } = this.request;
    const query = new URLSearchParams({ ...span, points: Math.round(Math.min(1500, Math.max(60, this.plots.width / 1.5))) });
    try {
      const answer = await fetch(`${this.address}?${query}`, { signal, headers: { Accept: "application/json" }, cache: "no-store" });
      const body = await answer.json();
      if (signal.aborted) return;
      if (answer.status === 401) location.reload(); // the guard sends the page to the login, and back here after it
      else if (!answer.ok) this.say(body.detail || body.title);
      else this.drawPast(body, span);
    } catch (error) {
      if (signal.aborted) return;
      this.say(t("The server did not answer. Check your connection and try again."));
    }
    if (!this.chosen) this.timer = setTimeout(() => this.read(), Math.max(AGAIN_MS, ((span.to - span.from) / 300) * 1000));
  }

  drawPast(body, span) {
    const cpus = Number(this.getAttribute("cpus")) || 0;
    this.plots.draw(linesOf(body, cpus), span, true);
    this.words.textContent = this.describe(span, body.step);
    this.say(body.time.length ? "" : body.reason || t("Nothing was sampled in this time."));
  }

  describe({ from, to }, step) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
    const span = format.formatRange(new Date(from * 1000), new Date(to * 1000));
    const every = shortSpan(step);
    return t("%(span)s; a point is %(every)s, the band its lowest to highest", { span, every });
  }

  say(words) {
    this.status.textContent = words;
    this.status.hidden = !words;
  }
}

customElements.define("stats-chart", StatsChart);
