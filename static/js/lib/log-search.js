// Searches the rows of a view in slices of a few milliseconds, so that typing and scrolling stay smooth.
import { plain } from "dermaga/log-line";

const SLICE_MS = 6;
const CHECK_EVERY = 200;
const HITS_IN_LINE = 1000;
const RISKY_AT_MOST = 400; // characters of a line on which an expression may run that could take for ever

/** A global pattern for what was typed; throws SyntaxError for a bad regular expression. */
export function compile(query, isRegex, isCase = false) {
  return new RegExp(isRegex ? query : query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), isCase ? "g" : "gi");
}

/** Whether an expression may need time that explodes with the text: it repeats a group or repeats twice. The server's
    engine has no such expressions, the browser's has. */
export function isRisky(query) {
  return /\)[*+{]/.test(query) || (query.match(/[*+]|\{\d*,\d*\}/g) ?? []).length > 1;
}

/** [[from, to], ...] of the pattern in `text`. */
export function ranges(text, pattern) {
  const found = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match && found.length < HITS_IN_LINE; match = pattern.exec(text)) {
    if (match[0] === "") pattern.lastIndex += 1; // an empty match would stay in its place for ever
    else found.push([match.index, match.index + match[0].length]);
  }
  return found;
}

export class LogSearch {
  /** `rows` are the LogRows, `isShown(row)` tells the filters, `changed()` is called after each slice. */
  constructor(rows, isShown, changed) {
    this.rows = rows;
    this.isShown = isShown;
    this.changed = changed;
    this.mark = 1;
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = null;
    this.pattern = null;
    this.limit = Infinity;
    this.restart();
  }

  /** Starts anew; throws SyntaxError. An empty query clears. */
  set(query, isRegex, isCase) {
    this.clear();
    if (!query) return;
    this.pattern = compile(query, isRegex, isCase);
    this.limit = isRegex && isRisky(query) ? RISKY_AT_MOST : Infinity;
    this.restart();
  }

  /** Counts from the beginning: a row knows by its mark that it was looked at. */
  restart() {
    this.mark += 2;
    this.total = 0;
    this.at = 0;
    this.current = null;
    if (this.pattern && !this.timer) this.timer = setTimeout(() => this.slice(), 0);
  }

  /** The places of the pattern in a text that is drawn. */
  ranges(text) {
    return this.pattern ? ranges(text.length > this.limit ? text.slice(0, this.limit) : text, this.pattern) : [];
  }

  matches(row) {
    const text = plain(row);
    this.pattern.lastIndex = 0;
    return this.pattern.test(text.length > this.limit ? text.slice(0, this.limit) : text);
  }

  /** Looks at one row, once: its mark is even for a hit. */
  look(row) {
    if (row.hit === this.mark || row.hit === this.mark + 1) return;
    const isHit = row.kind === "line" && this.isShown(row) && this.matches(row);
    row.hit = this.mark + Number(!isHit);
    this.total += Number(isHit);
  }

  isHit(row) {
    return this.pattern !== null && row.hit === this.mark;
  }

  slice() {
    const end = performance.now() + SLICE_MS;
    let done = 0;
    for (const [row, index] of this.rows.from(this.at)) {
      if ((done += 1) % CHECK_EVERY === 0 && performance.now() > end) break;
      this.look(row);
      this.at = index + 1;
    }
    this.timer = this.at < this.rows.length ? setTimeout(() => this.slice(), 0) : null;
    this.changed();
  }

  /** Rows came, anywhere. */
  added(rows) {
    if (!this.pattern) return;
    for (const row of rows) this.look(row);
    this.changed();
  }

  /** Rows in front went: their hits no longer count. */
  dropped(count) {
    if (this.pattern && count) this.restart();
  }

  /** The next (`step` 1) or previous (-1) hit from the current one, or from row `index`; goes round. */
  go(step, index) {
    if (!this.total) return null;
    const known = this.current ? this.rows.indexOf(this.current) : -1;
    const from = known >= 0 ? known + step : index;
    for (const [row] of this.rows.from(Math.min(from, this.rows.length - 1), step)) {
      if (this.isHit(row)) return (this.current = row);
    }
    for (const [row] of this.rows.from(step > 0 ? 0 : this.rows.length - 1, step)) {
      if (this.isHit(row)) return (this.current = row);
    }
    return null;
  }
}
