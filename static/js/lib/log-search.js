// Searches the shown rows in slices of a few milliseconds, so that typing and scrolling stay smooth.
import { plain } from "dermaga/log-store";

const SLICE_MS = 6;
const CHECK_EVERY = 200;
const HITS_IN_LINE = 1000;

/** A global pattern for what was typed; throws SyntaxError for a bad regular expression. */
export function compile(query, isRegex) {
  return new RegExp(isRegex ? query : query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
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
  /** `shown` are the ShownRows; `changed()` is called after each slice. */
  constructor(shown, changed) {
    this.shown = shown;
    this.changed = changed;
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = null;
    this.pattern = null;
    this.restart();
  }

  /** Starts anew; throws SyntaxError. An empty query clears. */
  set(query, isRegex) {
    this.clear();
    if (query) this.pattern = compile(query, isRegex);
    this.restart();
  }

  restart() {
    this.hits = []; // sequence numbers of rows with a hit, ascending
    this.counts = new Map();
    this.total = 0;
    this.cursor = 0;
    this.current = -1;
    this.more();
  }

  /** Goes on to the end of what is shown; called again when rows were added. */
  more() {
    if (!this.pattern || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.slice();
    }, 0);
  }

  slice() {
    const end = performance.now() + SLICE_MS;
    let index = this.shown.indexOfSeq(this.cursor);
    for (let done = 0; index < this.shown.length; index += 1, done += 1) {
      if (done % CHECK_EVERY === CHECK_EVERY - 1 && performance.now() > end) break;
      const row = this.shown.at(index);
      this.cursor = row.seq + 1;
      const count = ranges(plain(row), this.pattern).length;
      if (!count) continue;
      this.hits.push(row.seq);
      this.counts.set(row.seq, count);
      this.total += count;
    }
    this.changed();
    if (index < this.shown.length) this.more();
  }

  dropBefore(seq) {
    const keep = this.hits.findIndex((hit) => hit >= seq);
    const gone = this.hits.splice(0, keep < 0 ? this.hits.length : keep);
    for (const hit of gone) {
      this.total -= this.counts.get(hit);
      this.counts.delete(hit);
    }
    this.current = Math.max(-1, this.current - gone.length);
  }

  /** The sequence number of the next (`step` 1) or previous (-1) row with a hit, going round; from `seq` the first time. */
  go(step, seq) {
    if (!this.hits.length) return null;
    if (this.current < 0) {
      const after = this.hits.findIndex((hit) => hit >= seq);
      this.current = step > 0 ? (after < 0 ? 0 : after) : (after < 0 ? this.hits.length : after) - 1;
    } else {
      this.current += step;
    }
    this.current = (this.current + this.hits.length) % this.hits.length;
    return this.hits[this.current];
  }
}
