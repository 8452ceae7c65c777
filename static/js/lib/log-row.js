// One row of a log as elements: time, name, and the line in its colours, with level and hits marked.
import { dress, runs } from "dermaga/ansi";
import { el, icon } from "dermaga/dom";
import { ranges } from "dermaga/log-search";
import { plain, toMillis } from "dermaga/log-store";
import { number, t } from "dermaga/words";

const DRAWN = 10_000; // characters of a line that are drawn until the reader asks for all
const NAME_COLOURS = 6;

const two = (n) => String(n).padStart(2, "0");

/** The local time of day with milliseconds, as in 09:41:07.112. */
export function clock(stamp) {
  const millis = toMillis(stamp);
  if (Number.isNaN(millis)) return "";
  const time = new Date(millis);
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** Cuts the runs of a line at the edges of `marks` [[from, to, class], ...] and dresses each piece. */
function paint(text, pieces, marks) {
  const edges = [...new Set(marks.flatMap(([from, to]) => [from, to]))].sort((a, b) => a - b);
  const parts = [];
  let at = 0;
  for (const { text: words, style } of pieces) {
    const cuts = [at, ...edges.filter((edge) => edge > at && edge < at + words.length), at + words.length];
    for (let n = 0; n + 1 < cuts.length; n += 1) {
      const names = marks.filter(([from, to]) => from <= cuts[n] && cuts[n + 1] <= to).map((mark) => mark[2]);
      const part = words.slice(cuts[n] - at, cuts[n + 1] - at);
      if (!names.length && !Object.keys(style).length) {
        parts.push(part);
        continue;
      }
      const span = el(names.some((name) => name.startsWith("hit")) ? "mark" : "span", { class: names.join(" ") }, part);
      if (span.localName === "span" || !names.length) dress(span, style);
      parts.push(span);
    }
    at += words.length;
  }
  text.append(...parts);
}

function lineText(row, view) {
  const text = el("span", { class: "log-text" });
  const whole = row.text;
  const cut = !row.full && whole.length > DRAWN;
  const marks = row.mark ? [[...row.mark, `level level-${row.level}`]] : [];
  const isCurrent = view.search.hits[view.search.current] === row.seq;
  if (view.search.pattern) {
    const found = ranges(plain(row).slice(0, DRAWN), view.search.pattern);
    marks.push(...found.map(([from, to]) => [from, to, isCurrent ? "hit hit-now" : "hit"]));
  }
  paint(text, runs(cut ? whole.slice(0, DRAWN) : whole), marks);
  if (cut) {
    const rest = t("%(n)s more characters", { n: number(whole.length - DRAWN) });
    text.append(el("button", { type: "button", class: "link-button", "data-whole": row.seq }, rest));
  }
  return text;
}

function noteRow(row, view) {
  const name = view.showNames && view.targets[row.target] ? `${view.targets[row.target].name}: ` : "";
  const note = el("div", { class: "log-note" }, icon(row.grave ? "alert-triangle" : "info-circle"), `${name}${row.text}`);
  return el("div", { class: `log-row log-${row.kind}${row.grave ? " log-grave" : ""}` }, note);
}

/** The element of `row`; `view` gives targets, search and showTimes. */
export function drawRow(row, view) {
  if (row.kind !== "line") return noteRow(row, view);
  const target = view.targets[row.target];
  const node = el("div", { class: `log-row level-row-${row.level || "none"}${row.stream === "stderr" ? " log-stderr" : ""}` });
  if (view.showTimes) node.append(el("span", { class: "log-time", title: String(row.stamp ?? "") }, clock(row.stamp)));
  if (view.showNames && target) {
    node.append(el("span", { class: `log-name log-name-${row.target % NAME_COLOURS}`, title: target.shown ?? target.title }, target.name));
  }
  node.append(lineText(row, view));
  return node;
}
