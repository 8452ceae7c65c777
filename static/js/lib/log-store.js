// The part of one merged log that a view holds: lines of many containers in one order of time, without a hole between
// the first and the last that are shown. What a container has beyond that waits in reserve until the others have come
// as far: a view that shows a line shows all lines of all containers around it.
import { LEVELS, STREAMS, keepBefore, rowsOf, stampOf } from "dermaga/log-line";
import { LogRows, compareRows, keyOf } from "dermaga/log-rows";

export const ROOM = 250_000; // rows that a view holds at most
export const LIVE_ROOM = 50_000; // rows that it holds while it only follows: an open tab must not grow
const DROP = 2000; // rows dropped at a time

class Log {
  constructor(place) {
    this.place = place;
    this.older = []; // rows in reserve in front of the shown ones
    this.newer = []; // rows in reserve behind them
    this.whole = false; // nothing is older than what is here
    this.ended = true; // nothing is newer than what is here, or it comes by itself
    this.last = null; // the newest row that is here
    this.edge = null; // a place [timestamp, have] where the shown part begins, when no row of it is left
    this.came = false; // what was asked for of the past has come
    this.past = []; // until then
    this.cut = false; // whether its beginning was dropped meanwhile
    this.failed = ""; // why older lines cannot be read now
  }
}

export class LogStore {
  /** `heightOf(row)` in pixels, 0 for a hidden one. `keeping(change)` does what changes the shown rows. */
  constructor(heightOf, keeping = (change) => change()) {
    this.heightOf = heightOf;
    this.keeping = keeping;
    this.rows = new LogRows();
    this.clear();
  }

  clear() {
    this.rows.clear();
    this.logs = [];
    this.counts = Object.fromEntries([...LEVELS, "stdout", "stderr"].map((name) => [name, 0]));
    this.dropped = 0;
    this.room = LIVE_ROOM;
    this.settled = false;
  }

  log(place) {
    return (this.logs[place] ??= new Log(place));
  }

  get all() {
    return this.logs.filter(Boolean);
  }

  count(row, by) {
    if (row.kind !== "line") return;
    this.counts[STREAMS[row.stream]] += by;
    if (!row.goesOn) this.counts[LEVELS[row.level]] += by;
  }

  show(rows, options) {
    for (const row of rows) this.count(row, 1);
    if (rows.length) this.keeping(() => this.rows.insert(rows, this.heightOf, options));
  }

  // ------------------------------------------------------------ the past, then what follows

  /** Makes rows of live lines [[target, stream, timestamp, text], ...]; those of a past that is still coming wait. */
  take(lines) {
    const ready = [];
    for (let from = 0, to = 0; from < lines.length; from = to) {
      const [place] = lines[from];
      while (to < lines.length && lines[to][0] === place) to += 1;
      const log = this.log(place);
      const made = rowsOf(place, lines.slice(from, to).map(([, ...rest]) => rest), log.last);
      log.last = made.at(-1);
      if (log.came) for (const row of made) ready.push(row);
      else this.wait(log, made);
    }
    return ready;
  }

  wait(log, made) {
    for (const row of made) log.past.push(row);
    if (log.past.length < ROOM + DROP) return;
    log.past.splice(0, log.past.length - ROOM);
    log.cut = true;
  }

  /** The past of a target has come. Returns whether all have. */
  came(place, whole) {
    const log = this.log(place);
    if (log.came) return true;
    log.came = true;
    log.whole = whole && !log.cut;
    return this.all.every((one) => one.came);
  }

  /** Shows what has come of the past: from where the log that reaches back least begins. */
  settle() {
    const all = this.all.filter((log) => log.past.length);
    for (const log of all) {
      if (!log.came) continue;
      log.older = log.older.concat(log.past);
      log.past = [];
    }
    this.settled = true;
    this.lower();
    this.release();
    this.room = Math.min(ROOM, Math.max(LIVE_ROOM, this.rows.length));
  }

  /** The log that reaches back least, of those that have more: nothing in front of its first row may be shown. */
  edgeRow() {
    let latest = null;
    for (const log of this.all) {
      const first = log.whole ? null : this.firstOf(log);
      if (first && (!latest || compareRows(first, latest) > 0)) latest = first;
    }
    return latest;
  }

  firstOf(log) {
    if (log.older.length) return log.older[0];
    return this.firstShown(log);
  }

  firstShown(log) {
    for (const row of this.rows) if (row.target === log.place && row.kind === "line") return row;
    return null;
  }

  lastShown(log) {
    for (const [row] of this.rows.from(this.rows.length - 1, -1)) {
      if (row.target === log.place && row.kind === "line") return row;
    }
    return null;
  }

  /** Puts shown rows back into reserve when a log joined that reaches back less far. */
  lower() {
    const edge = this.edgeRow();
    if (!edge || !this.rows.length || compareRows(this.rows.first, edge) >= 0) return;
    for (const row of this.cut((one) => compareRows(one, edge) >= 0)) {
      this.count(row, -1);
      if (row.kind === "line") this.log(row.target).older.push(row);
    }
  }

  cut(isEnough) {
    let gone = [];
    this.keeping(() => (gone = this.rows.dropFront(isEnough).rows));
    return gone;
  }

  /** Shows the rows in reserve that no log holds back; returns them. */
  release() {
    const edge = this.edgeRow();
    const ready = [];
    for (const log of this.all) {
      const from = edge ? log.older.findIndex((row) => compareRows(row, edge) >= 0) : 0;
      if (from >= 0) for (const row of log.older.splice(from)) ready.push(row);
    }
    ready.sort(compareRows);
    this.show(ready, { before: true });
    return ready;
  }

  // ------------------------------------------------------------ older and newer parts

  /** The place in front of all that is here of a log: [timestamp, how many of the lines that bear it are here]. */
  frontOf(log) {
    const first = this.firstOf(log);
    if (!first) return log.edge ?? (this.rows.first ? [stampOf(keyOf(this.rows.first)), 0] : null);
    return [stampOf(first), this.alike(log, first)];
  }

  /** The place behind all that is here of a log, or where it would begin. */
  backOf(log) {
    const last = log.newer.at(-1) ?? (log.ended ? log.last : null) ?? this.lastShown(log) ?? log.older.at(-1);
    if (!last) return log.edge;
    return [stampOf(last), Math.max(1, this.alike(log, last))];
  }

  /** How many rows of a log bear the time of `row`: of those that are here, all of a run are neighbours. */
  alike(log, row) {
    const same = (other) => other.kind === "line" && other.target === row.target && other.ms === row.ms && other.ns === row.ns;
    let found = log.older.filter(same).length + log.newer.filter(same).length;
    for (const other of this.around(row)) if (same(other)) found += 1;
    return found;
  }

  /** The shown rows within moments of a row's time. */
  *around(row, moments = 2000) {
    const key = keyOf(row);
    const [number, n] = this.rows.spotFor({ ms: key.ms - moments, ns: 0 }, true);
    for (let at = number; at < this.rows.blocks.length; at += 1) {
      const { rows } = this.rows.blocks[at];
      for (let i = at === number ? n : 0; i < rows.length; i += 1) {
        if (keyOf(rows[i]).ms > key.ms + moments) return;
        yield rows[i];
      }
    }
  }

  /** Which of the lines of its log with its timestamp a row is, counted from 0. */
  ordinal(row) {
    let found = 0;
    for (const other of this.around(row)) {
      if (other === row) return found;
      if (other.kind === "line" && other.target === row.target && other.ms === row.ms && other.ns === row.ns) found += 1;
    }
    return found;
  }

  /** The row of a target with a timestamp and an ordinal, if it is shown. */
  lookUp(target, ms, ns, ordinal) {
    let left = ordinal;
    for (const row of this.around({ ms, ns, head: null })) {
      if (row.kind !== "line" || row.target !== target || row.ms !== ms || row.ns !== ns) continue;
      if (left === 0) return row;
      left -= 1;
    }
    return null;
  }

  /** Takes an older part of a log into reserve. */
  addOlder(log, lines, more) {
    const first = this.firstOf(log);
    const made = keepBefore(rowsOf(log.place, lines, null), first);
    log.older = made.concat(log.older);
    log.last ??= made.at(-1) ?? null;
    log.whole = !more;
  }

  /** Takes a newer part of a log into reserve. */
  addNewer(log, lines, more) {
    const made = rowsOf(log.place, lines, log.newer.at(-1) ?? this.lastShown(log));
    log.newer.push(...made);
    log.ended = !more;
  }

  /** Shows the newer rows in reserve that no log holds back; returns them. */
  releaseNewer() {
    let edge = null; // nothing behind the last row of a log that has more may be shown
    for (const log of this.all) {
      const last = log.ended ? null : (log.newer.at(-1) ?? this.lastShown(log));
      if (last && (!edge || compareRows(last, edge) < 0)) edge = last;
    }
    const ready = [];
    for (const log of this.all) {
      const to = edge ? log.newer.findIndex((row) => compareRows(row, edge) > 0) : -1;
      const made = log.newer.splice(0, to < 0 ? log.newer.length : to);
      for (const row of made) ready.push(row);
      log.last = made.at(-1) ?? log.last;
    }
    ready.sort(compareRows);
    this.show(ready);
    return ready;
  }

  // ------------------------------------------------------------ bounds

  /** Drops the oldest rows above the room; returns how many. */
  trim(room = this.room) {
    const over = this.rows.length - room;
    if (over <= 0) return 0;
    const gone = this.cut((row, n) => n >= over + Math.min(DROP, room >> 2));
    const hurt = new Set();
    for (const row of gone) {
      this.count(row, -1);
      if (row.kind !== "line") continue;
      this.dropped += 1;
      hurt.add(row.target);
      this.log(row.target).edge = [stampOf({ ms: row.ms, ns: Math.min(999_999, row.ns + 1) }), 0]; // behind it
    }
    for (const target of hurt) {
      const log = this.log(target);
      log.older = []; // it no longer meets what is shown
      log.whole = false;
    }
    return gone.length;
  }

  /** Drops the newest rows above the room: they are read again when the reader comes there. */
  trimBack(room = ROOM) {
    const over = this.rows.length - room;
    if (over <= 0) return false;
    const hurt = new Set();
    for (const row of this.rows.dropBack(over + DROP)) {
      this.count(row, -1);
      if (row.kind !== "line" || hurt.has(row.target)) continue;
      hurt.add(row.target);
      this.log(row.target).edge = [stampOf(row), 0];
    }
    for (const log of this.all) {
      log.newer = [];
      log.ended = false;
    }
    return true;
  }
}
