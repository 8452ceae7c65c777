// <stats-chart target="fra-1/web">: CPU, memory, network and block I/O of a container, live, the last ten minutes.
// Reads /ws/stats (docs/sockets.md); the numbers beside the charts say the same to screen readers.
import uPlot from "uplot";
import { colour, el, onTheme } from "dermaga/dom";
import { SPAN_SECONDS, StatsSeries, bytes, percent } from "dermaga/stats-series";
import { Stream } from "dermaga/stream";
import { number, t } from "dermaga/words";

const HEIGHT = 170;
const AXIS_PX = 64;
const BINARY_STEPS = Array.from({ length: 40 }, (_, n) => 2 ** n); // so that the ticks are whole KiB and MiB
const rate = (value) => (value === null || value === undefined ? "-" : `${bytes(value)}/s`);

const timeOfDay = (seconds) => {
  const time = new Date(seconds * 1000);
  return [time.getHours(), time.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
};

// lines: [column of StatsSeries, label, colour token]
const CHARTS = [
  { name: "cpu", title: "CPU", show: percent, lines: [[1, "CPU", "--accent"]] },
  { name: "memory", title: "Memory", show: bytes, lines: [[2, "Used", "--accent"], [3, "Limit", "--off"]] },
  { name: "network", title: "Network", show: rate, lines: [[4, "Received", "--accent"], [5, "Sent", "--warn"]] },
  { name: "blocks", title: "Block I/O", show: rate, lines: [[6, "Read", "--accent"], [7, "Written", "--warn"]] },
];

class StatsChart extends HTMLElement {
  connectedCallback() {
    this.series = new StatsSeries();
    this.build();
    this.stopTheme = onTheme(() => this.plot());
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(this);
    const query = new URLSearchParams({ target: this.getAttribute("target") });
    this.stream = new Stream(`/ws/stats?${query}`, {
      message: (message) => this.receive(message),
      open: () => this.say(""),
      lost: () => this.say(t("Connection lost, trying again")),
      refused: (code, reason) => this.say(reason || t("The server closed the stream (%(code)s).", { code })),
    });
  }

  disconnectedCallback() {
    this.stream.end();
    this.stopTheme();
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    for (const chart of this.charts) chart.plot?.destroy();
    this.replaceChildren();
  }

  build() {
    this.status = el("div", { class: "notice", role: "status", hidden: true });
    this.pids = el("dd", {}, "-");
    this.charts = CHARTS.map((kind) => this.card(kind));
    const pids = el("div", { class: "card pad stats-pids" }, el("dl", { class: "figure" }, el("dt", {}, t("Processes")), this.pids));
    this.replaceChildren(this.status, el("div", { class: "stats-grid" }, ...this.charts.map((chart) => chart.card), pids));
  }

  card(kind) {
    const values = kind.lines.map(([, label, token]) => {
      const value = el("dd", {}, "-");
      const key = el("dt", { class: `stats-key stats-key${token}` }, t(label));
      return { key, value };
    });
    const list = el("dl", { class: "stats-now" }, ...values.flatMap(({ key, value }) => [key, value]));
    const place = el("div", { class: "stats-plot", "aria-hidden": "true" });
    const card = el("section", { class: "card", "aria-label": t(kind.title) }, el("div", { class: "card-head" }, el("h2", {}, t(kind.title)), list), place);
    return { kind, card, place, values: values.map((one) => one.value), plot: null };
  }

  receive(message) {
    if (message.t === "stats") {
      for (const sample of message.samples) if (sample[0] === 0) this.series.add(sample);
      this.frame ??= requestAnimationFrame(() => this.draw());
    } else if (message.t === "state") {
      const fine = ["connecting", "live", "resumed", "restarted"].includes(message.state);
      this.say(fine ? "" : message.reason || message.text || t(message.state.replaceAll("_", " ")));
    } else if (message.t === "error") this.say(message.reason);
  }

  say(words) {
    this.status.textContent = words;
    this.status.hidden = !words;
  }

  draw() {
    this.frame = null;
    if (!this.charts[0].plot) this.plot();
    for (const { kind, values, plot } of this.charts) {
      plot.setData(this.series.data(kind.lines.map(([column]) => column)), true);
      kind.lines.forEach(([column], n) => {
        values[n].textContent = kind.show(this.series.latest(column));
      });
    }
    this.pids.textContent = this.series.pids === null ? "-" : number(this.series.pids);
  }

  /** Makes the charts, in the colours of the current theme. */
  plot() {
    if (!this.series.last) return;
    for (const chart of this.charts) {
      chart.plot?.destroy();
      const columns = chart.kind.lines.map(([column]) => column);
      chart.plot = new uPlot(this.options(chart), this.series.data(columns), chart.place);
    }
  }

  options({ kind, place }) {
    const [ink, grid] = [colour("--text-2"), colour("--line")];
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const lines = kind.lines.map(([, label, token], n) => ({
      label: t(label),
      stroke: colour(token),
      width: 1.5,
      dash: kind.name === "memory" && n === 1 ? [5, 4] : undefined,
      fill: n === 0 ? colour(token).replace("rgb(", "rgba(").replace(")", ", 0.10)") : undefined,
      points: { show: false },
      value: (_, value) => kind.show(value),
    }));
    const end = () => this.series.last.seconds;
    return {
      width: Math.max(160, place.clientWidth),
      height: HEIGHT,
      series: [{}, ...lines],
      axes: [
        { ...axis, size: 28, values: (_, ticks) => ticks.map(timeOfDay) },
        { ...axis, size: AXIS_PX, values: (_, ticks) => ticks.map(kind.show), ...(kind.name === "cpu" ? {} : { incrs: BINARY_STEPS }) },
      ],
      scales: { x: { range: () => [end() - SPAN_SECONDS, end()] }, y: { range: (_, low, high) => [0, Math.max(kind.name === "cpu" ? 1 : 1024, (high || 0) * 1.1)] } },
      legend: { show: false },
      cursor: { sync: { key: "stats" }, drag: { x: false, y: false }, points: { size: 6 } },
      hooks: { setCursor: [(plot) => this.pointed(kind, plot)] },
    };
  }

  /** The numbers follow the cursor, and return to the latest when it leaves. */
  pointed(kind, plot) {
    const chart = this.charts.find((one) => one.kind === kind);
    const at = plot.cursor.idx;
    kind.lines.forEach(([column], n) => {
      const value = at === null || at === undefined ? this.series.latest(column) : this.series.columns[column][at];
      chart.values[n].textContent = kind.show(value);
    });
  }

  fit() {
    for (const { plot, place } of this.charts) {
      const width = Math.max(160, place.clientWidth);
      if (plot && plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

customElements.define("stats-chart", StatsChart);
