// The charts of stats: CPU, memory, network and block I/O, with the numbers beside them that say the same in words.
import uPlot from "uplot";
import { colour, el } from "dermaga/dom";
import { summary } from "dermaga/stats-history";
import { bytes, percent } from "dermaga/stats-series";
import { t } from "dermaga/words";

const HEIGHT = 182;
const AXIS_PX = 64;
const DAY = 86_400;
const BINARY_STEPS = Array.from({ length: 40 }, (_, n) => 2 ** n); // so that the ticks are whole KiB and MiB
const STEPS = Array.from({ length: 12 }, (_, n) => 10 ** n).flatMap((n) => [n, 2 * n, 5 * n]);
const TENTHS = [0.1, 0.2, 0.5, ...STEPS]; // as exact as the labels are
const TIME_APART_PX = 74;
const rate = (value) => (value === null || value === undefined ? "-" : `${bytes(value)}/s`);

// lines: [name, label, colour token]
const CHARTS = [
  { name: "cpu", title: "CPU", show: percent, steps: TENTHS, least: 1, lines: [["cpu", "CPU", "--accent"]] },
  { name: "memory", title: "Memory", show: bytes, steps: BINARY_STEPS, least: 1024, lines: [["memory", "Used", "--accent"], ["limit", "Limit", "--off"]] },
  { name: "network", title: "Network", show: rate, steps: BINARY_STEPS, least: 1024, lines: [["net_rx", "Received", "--accent"], ["net_tx", "Sent", "--warn"]] },
  { name: "blocks", title: "Block I/O", show: rate, steps: BINARY_STEPS, least: 1024, lines: [["block_read", "Read", "--accent"], ["block_write", "Written", "--warn"]] },
  { name: "pids", title: "Processes", show: (value) => (value === null || value === undefined ? "-" : String(Math.round(value))), steps: STEPS, least: 1, lines: [["pids", "Processes", "--accent"]] },
];

const words = (options) => new Intl.DateTimeFormat(document.documentElement.lang || undefined, options);
const clockWords = words({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exactClock = words({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayWords = words({ day: "numeric", month: "short" });
const monthWords = words({ month: "short", year: "numeric" });

/** Ticks of a time axis: the time of day, with the day below where it begins; days; months. */
function timeLabels(ticks, apart) {
  let day = "";
  return ticks.map((seconds) => {
    const time = new Date(seconds * 1000);
    if (apart >= 28 * DAY) return monthWords.format(time);
    if (apart >= DAY) return dayWords.format(time);
    const label = (apart < 60 ? exactClock : clockWords).format(time);
    const today = dayWords.format(time);
    const first = today !== day;
    day = today;
    return first ? `${label}\n${today}` : label;
  });
}

export class StatsPlots {
  /** `zoom(from, to)` is called with the Unix times of a stretch that somebody dragged over. */
  constructor(zoom) {
    this.zoom = zoom;
    this.data = { time: [], lines: {} };
    this.charts = CHARTS.map((kind) => this.card(kind));
    this.element = el("div", { class: "stats-grid" }, ...this.charts.map((chart) => chart.card));
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(this.element);
  }

  get width() {
    return Math.max(160, this.charts[0].place.clientWidth);
  }

  destroy() {
    this.resized.disconnect();
    for (const chart of this.charts) chart.plot?.destroy();
  }

  card(kind) {
    const values = kind.lines.map(([, label, token]) => {
      const value = el("dd", {}, "-");
      return { value, pair: el("div", {}, el("dt", { class: `stats-key${token}` }, t(label)), value) };
    });
    const list = el("dl", { class: "stats-now" }, ...values.map((one) => one.pair));
    const place = el("div", { class: "stats-plot", "aria-hidden": "true" });
    const card = el("section", { class: "card", "aria-label": t(kind.title) }, el("div", { class: "card-head" }, el("h2", {}, t(kind.title)), list), place);
    return { kind, card, place, values: values.map((one) => one.value), plot: null };
  }

  /** Draws `data` ({time, lines: {name: {avg, min, max}}}) over the span {from, to}; `past` adds the band from min to
      max, and says the mean and the highest instead of the last value. */
  draw(data, span, past) {
    this.data = data;
    this.span = span;
    if (this.past !== past) this.rebuild(past);
    for (const chart of this.charts) {
      chart.plot ??= new uPlot(this.options(chart), this.columns(chart.kind), chart.place);
      chart.plot.setData(this.columns(chart.kind), true);
      this.say(chart, null);
    }
  }

  /** New colours, or another way of drawing. */
  rebuild(past = this.past) {
    this.past = past;
    for (const chart of this.charts) {
      chart.plot?.destroy();
      chart.plot = null;
    }
    if (this.span) for (const chart of this.charts) chart.plot = new uPlot(this.options(chart), this.columns(chart.kind), chart.place);
  }

  columns(kind) {
    const none = new Array(this.data.time.length).fill(null);
    const parts = this.past ? ["avg", "max", "min"] : ["avg"];
    return [this.data.time, ...kind.lines.flatMap(([name]) => parts.map((part) => this.data.lines[name]?.[part] ?? none))];
  }

  options(chart) {
    const { kind, place } = chart;
    const [ink, grid] = [colour("--text-2"), colour("--line")];
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const fade = (token, share) => colour(token).replace("rgb(", "rgba(").replace(")", `, ${share})`);
    const series = kind.lines.flatMap(([name, label, token], n) => {
      const line = {
        label: t(label),
        stroke: colour(token),
        width: 1.5,
        dash: name === "limit" ? [5, 4] : undefined,
        fill: n === 0 && !this.past ? fade(token, 0.1) : undefined,
        points: { show: (plot) => plot.data[0].length < 2 },
      };
      const edge = { stroke: fade(token, 0.4), width: 0.7, points: { show: false } };
      return this.past ? [line, edge, { ...edge, width: 0 }] : [line];
    });
    const bands = this.past ? kind.lines.map(([, , token], n) => ({ series: [3 * n + 2, 3 * n + 3], fill: fade(token, 0.2) })) : [];
    return {
      width: Math.max(160, place.clientWidth),
      height: HEIGHT,
      series: [{}, ...series],
      bands,
      axes: [
        { ...axis, space: TIME_APART_PX, size: (plot, labels) => (labels?.some((label) => label.includes("\n")) ? 40 : 26), values: (plot, ticks, n, space, apart) => timeLabels(ticks, apart) },
        { ...axis, size: AXIS_PX, values: (_, ticks) => ticks.map(kind.show), incrs: kind.steps },
      ],
      scales: { x: { range: () => [this.span.from, this.span.to] }, y: { range: () => [0, this.top(kind)] } },
      legend: { show: false },
      cursor: { sync: { key: "stats" }, drag: { x: true, y: false, setScale: false }, points: { size: 6, show: (plot, n) => (this.past ? n % 3 === 1 : n > 0) } },
      hooks: { setCursor: [(plot) => this.say(chart, plot.cursor.idx)], setSelect: [(plot) => this.selected(plot)] },
    };
  }

  /** The highest value with some air above; a limit far above the use would press the use flat, and is left out. */
  top({ lines, least }) {
    const highest = (name) => summary(this.data.lines[name]).max ?? 0;
    const used = Math.max(...lines.filter(([name]) => name !== "limit").map(([name]) => highest(name)));
    const limit = highest("limit");
    return Math.max(least, used * 1.1, lines.some(([name]) => name === "limit") && limit < used * 3 ? limit * 1.1 : 0);
  }

  /** The numbers at the cursor, or of the whole when there is none. */
  say(chart, at) {
    const { kind, values } = chart;
    kind.lines.forEach(([name], n) => {
      const line = this.data.lines[name];
      if (!this.past || name === "limit") values[n].replaceChildren(kind.show(line?.avg[at ?? line.avg.length - 1] ?? null));
      else {
        const { avg, max } = at === null || at === undefined ? summary(line) : { avg: line?.avg[at], max: line?.max[at] };
        values[n].replaceChildren(kind.show(avg), el("span", { class: "stats-most" }, t("max %(value)s", { value: kind.show(max) })));
      }
    });
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  fit() {
    for (const { plot, place } of this.charts) {
      const width = Math.max(160, place.clientWidth);
      if (plot && plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }
  }
}
