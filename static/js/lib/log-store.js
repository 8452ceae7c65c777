// The lines a log view holds: bounded, numbered, graded; knows after a reconnect which lines it has already.
import { strip } from "dermaga/ansi";
import { continues, recognise } from "dermaga/levels";

export const CAPACITY = 200_000;
const DROP = 4000; // lines dropped at a time: one at a time would move the array for each line
const PLAIN_LIMIT = 20_000; // characters of a line that are searched

/** Milliseconds since 1970 of an engine's timestamp: nanoseconds as a number or digits, or RFC 3339. */
export function toMillis(stamp) {
  if (stamp === null || stamp === undefined || stamp === "") return NaN;
  if (typeof stamp === "number") return stamp > 1e14 ? stamp / 1e6 : stamp;
  if (/^\d+$/.test(stamp)) return stamp.length > 13 ? Number(stamp.slice(0, -6)) : Number(stamp);
  return Date.parse(stamp);
}

/** Orders timestamps; those of one form and length by their letters, which keeps the nanoseconds. */
export function compareStamps(one, other) {
  if (typeof one === "string" && typeof other === "string" && one.length === other.length) {
    return one < other ? -1 : Number(one > other);
  }
  return Math.sign(toMillis(one) - toMillis(other));
}

/** The text that is searched and recognised; made once a row. */
export function plain(row) {
  row.plain ??= strip(row.text.length > PLAIN_LIMIT ? row.text.slice(0, PLAIN_LIMIT) : row.text);
  return row.plain;
}

export class LogStore {
  constructor(targets) {
    this.rows = [];
    this.next = 0;
    this.dropped = 0;
    this.counts = { error: 0, warn: 0, info: 0, debug: 0, stdout: 0, stderr: 0 };
    this.last = targets.map(() => ({ stamp: null, texts: new Set(), level: "" }));
  }

  /** Adds lines [[target, stream, timestamp, text], ...]; returns the rows made of them. */
  addLines(lines) {
    const made = [];
    for (const [target, stream, stamp, text] of lines) {
      const last = (this.last[target] ??= { stamp: null, texts: new Set(), level: "" });
      if (last.resumed && this.isRepeated(last, stamp, text)) continue;
      const name = stream === 2 || stream === "stderr" ? "stderr" : "stdout";
      const row = { seq: this.next++, kind: "line", target, stream: name, stamp, ms: toMillis(stamp), text };
      this.grade(row, last);
      if (stamp !== last.stamp) last.texts.clear();
      last.stamp = stamp;
      last.texts.add(text);
      this.rows.push(row);
      made.push(row);
    }
    return made;
  }

  /** Between a reconnect and the first new line, lines that are here already come again. */
  isRepeated(last, stamp, text) {
    const order = compareStamps(stamp, last.stamp);
    if (order < 0 || (order === 0 && last.texts.has(text))) return true;
    if (order > 0) last.resumed = false;
    return false;
  }

  /** After a lost socket: the timestamp from which lines are wanted again; null for none. */
  resume() {
    const timed = this.last.filter((last) => last.stamp !== null);
    for (const last of timed) last.resumed = true;
    const stamps = timed.map((last) => last.stamp).sort(compareStamps);
    return stamps[0] ?? null;
  }

  grade(row, last) {
    const text = plain(row);
    const found = recognise(text);
    row.level = found.level;
    row.mark = found.level ? [found.from, found.to] : null;
    if (!found.level && continues(text)) {
      row.level = last.level;
      row.goesOn = true;
    } else {
      last.level = found.level;
      if (found.level) this.counts[found.level] += 1;
    }
    this.counts[row.stream] += 1;
  }

  /** Adds a row that is not a line: kind "gap", "skipped" or "state". */
  addNote(kind, target, text, grave = false) {
    const row = { seq: this.next++, kind, target, text, plain: text, level: "", grave };
    this.rows.push(row);
    return row;
  }

  /** Drops the oldest rows above the capacity; returns the sequence number of the first that stays, or null. */
  trim() {
    if (this.rows.length <= CAPACITY) return null;
    const gone = this.rows.splice(0, this.rows.length - CAPACITY + DROP);
    for (const row of gone) {
      if (row.kind !== "line") continue;
      this.dropped += 1;
      this.counts[row.stream] -= 1;
      if (row.level && !row.goesOn) this.counts[row.level] -= 1;
    }
    return this.rows[0].seq;
  }
}
