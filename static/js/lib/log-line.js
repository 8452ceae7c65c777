// A row of a log view: a line of a container, or a note between lines. Small, because a view holds 200,000.
import { strip } from "dermaga/ansi";
import { continues, recognise } from "dermaga/levels";
import { compareRows, keyOf } from "dermaga/log-rows";

export const LEVELS = ["", "error", "warn", "info", "debug"];
export const STREAMS = { 1: "stdout", 2: "stderr" };
const PLAIN_LIMIT = 20_000; // characters of a line that are searched
const LATE_MS = 2000; // stdout and stderr of a container are out of order by moments; more is a clock that was set
const TOGETHER_MS = 1000; // a stack trace stays with its first line for so long

/** Milliseconds since 1970, and the nanoseconds within the millisecond, of 2026-11-24T06:38:36.100813562Z. */
export function momentOf(stamp) {
  return [Date.parse(`${stamp.slice(0, 23)}Z`), Number(stamp.slice(23, 29))];
}

/** The engine's timestamp of a row. */
export function stampOf(row) {
  return `${new Date(row.ms).toISOString().slice(0, 23)}${String(row.ns).padStart(6, "0")}Z`;
}

export class Row {
  constructor(kind, target, stream, ms, ns, text) {
    this.kind = kind; // line, gap, skipped, state
    this.target = target;
    this.stream = stream;
    this.ms = ms;
    this.ns = ns;
    this.text = text;
    this.level = 0;
    this.goesOn = false;
    this.head = null; // the row that this one is kept behind, whatever its own time
    this.hit = 0;
    this.open = false;
    this.note = null;
  }
}

/** The text that is searched and recognised. */
export function plain(row) {
  return strip(row.text.length > PLAIN_LIMIT ? row.text.slice(0, PLAIN_LIMIT) : row.text);
}

/** Makes rows of [stream, timestamp, text] that follow `previous` (null for none) in the log of `target`. */
export function rowsOf(target, lines, previous) {
  let last = previous;
  return lines.map(([stream, stamp, text]) => {
    const [ms, ns] = momentOf(stamp);
    const row = new Row("line", target, stream, ms, ns, text);
    grade(row, last);
    if (last) keep(row, last);
    last = row;
    return row;
  });
}

function grade(row, last) {
  const text = plain(row);
  row.level = LEVELS.indexOf(recognise(text).level);
  if (row.level || !last || !continues(text)) return;
  row.level = last.level;
  row.goesOn = true;
}

/** The engine's order holds within a container: a row is never ordered in front of the one before it. */
function keep(row, last) {
  const before = keyOf(last);
  const late = compareRows(row, before) < 0 && before.ms - row.ms < LATE_MS;
  if (late || (row.goesOn && row.ms - before.ms < TOGETHER_MS)) row.head = before;
}

/** Rows read later that come in front of `next`: none is ordered behind it. */
export function keepBefore(rows, next) {
  for (let n = rows.length - 1; n >= 0 && next && compareRows(rows[n], next) > 0; n -= 1) rows[n].head = keyOf(next);
  return rows;
}

/** A row that is not a line, ordered behind `behind` or at the time `ms`. */
export function noteRow(kind, target, text, { behind = null, ms = Date.now(), grave = false, ...more } = {}) {
  const row = new Row(kind, target, 0, behind ? behind.ms : ms, behind ? behind.ns : 0, text);
  if (behind) row.head = keyOf(behind);
  row.note = { grave, ...more };
  return row;
}
