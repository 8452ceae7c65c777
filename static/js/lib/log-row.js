// One row of a log as elements: time, name, and the line in its colours, with level and hits marked.
import { dress, runs } from "dermaga/ansi";
import { el, icon } from "dermaga/dom";
import { recognise } from "dermaga/levels";
import { fieldsOf, shown, summary } from "dermaga/log-fields";
import { LEVELS, plain, stampOf } from "dermaga/log-line";
import { number, t } from "dermaga/words";

const DRAWN = 10_000; // characters of a line that are drawn until the reader asks for all

const two = (n) => String(n).padStart(2, "0");

/** The local time of day with milliseconds, as in 09:41:07.112. */
export function clock(ms) {
  const time = new Date(ms);
  const rest = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${rest}`;
}

/** The local date, as in 2026-11-24. */
export function day(ms) {
  const time = new Date(ms);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** The time of day, with the date when that is another one than today. */
export function when(ms) {
  return day(ms) === day(Date.now()) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
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

function hitMarks(words, row, view) {
  const name = view.current === row ? "hit hit-now" : "hit";
  return view.search.ranges(words).map(([from, to]) => [from, to, name]);
}

function lineText(row, view) {
  const text = el("span", { class: "log-text" });
  const whole = row.text;
  const cut = !row.open && whole.length > DRAWN;
  const words = plain(row);
  const marks = hitMarks(words.slice(0, DRAWN), row, view);
  const found = row.goesOn || !row.level ? null : recognise(words);
  if (found?.level) marks.push([found.from, found.to, `level level-${found.level}`]);
  paint(text, runs(cut ? whole.slice(0, DRAWN) : whole), marks);
  if (cut) {
    const rest = t("%(n)s more characters", { n: number(whole.length - DRAWN) });
    text.append(el("button", { type: "button", class: "link-button", "data-act": "open" }, rest));
  }
  return text;
}

function marked(words, row, view, name) {
  const node = el("span", name ? { class: name } : {});
  paint(node, [{ text: words, style: {} }], hitMarks(words, row, view));
  return node;
}

/** A record as a sentence, its fields behind it; open, each field has a line of its own. */
function recordText(fields, row, view) {
  const { level, message, rest } = summary(fields);
  const button = el("button", { type: "button", class: "log-fold", "data-act": "open", "aria-expanded": String(row.open), "aria-label": t("Fields of this line"), tabindex: "-1" }, icon(row.open ? "chevron-down" : "chevron-right"));
  const text = el("span", { class: "log-text log-record" }, button);
  if (level) text.append(el("span", { class: `level level-${LEVELS[row.level] || "info"}` }, level.toUpperCase()), " ");
  if (message) text.append(marked(message, row, view));
  if (!row.open) {
    for (const [name, value] of rest) text.append(" ", el("span", { class: "log-key" }, `${name}=`), marked(value, row, view, "log-value"));
    return text;
  }
  const list = el("dl", { class: "log-fields" });
  for (const [name, value] of fields) list.append(el("dt", {}, name), el("dd", {}, marked(shown(value), row, view)));
  text.append(list);
  return text;
}

function noteElement(row, view) {
  const name = view.showNames && !row.note.many && view.targets[row.target] ? `${view.targets[row.target].name}: ` : "";
  const note = el("div", { class: "log-note" }, icon(row.note.grave ? "alert-triangle" : "info-circle"), el("span", {}, `${name}${row.text}`));
  if (row.kind === "skipped") note.append(el("button", { type: "button", class: "link-button", "data-act": "fill" }, t("Load them")));
  return el("div", { class: `log-row log-${row.kind}${row.note.grave ? " log-grave" : ""}` }, note);
}

/** The names of a line's host, where a view has several, and of its container, each in its colour. */
export function nameElements(target, view) {
  const name = el("span", { class: `log-name log-hue-${view.hues.of(target.shown)}`, title: target.shown }, target.name);
  if (!view.showHosts) return [name];
  return [el("span", { class: `log-host log-hue-${view.hues.of(target.host)}`, title: target.host }, target.host), name];
}

/** The element of `row`; `view` gives targets, hues, search, current, chosen, showTimes, showNames, showHosts,
    showFields, linkTo(row). */
export function drawRow(row, view) {
  if (row.kind !== "line") return noteElement(row, view);
  const target = view.targets[row.target];
  const chosen = view.chosen === row ? " log-chosen" : "";
  const node = el("div", { class: `log-row level-row-${LEVELS[row.level] || "none"}${row.stream === 2 ? " log-stderr" : ""}${chosen}${row.open ? " log-open" : ""}` });
  if (view.showTimes) {
    node.append(el("a", { class: "log-time", href: view.linkTo(row), title: `${day(row.ms)} ${stampOf(row).slice(11)}`, "data-act": "link", tabindex: "-1" }, clock(row.ms)));
  }
  if (view.showNames && target) node.append(...nameElements(target, view));
  const fields = view.showFields ? fieldsOf(plain(row)) : null;
  node.append(fields ? recordText(fields, row, view) : lineText(row, view));
  return node;
}
