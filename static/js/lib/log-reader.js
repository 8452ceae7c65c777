// Reads further parts of a merged log into its store: older ones, newer ones, those around a time, those left out.
import { rowsOf, stampOf } from "dermaga/log-line";

const PART = 500; // lines that a step back or forth shows at least
const LEAST = 50; // lines of one log in a part
const ROUNDS = 6;
const FILL_AT_MOST = 10_000; // lines left out that are read in one go

export class LogReader {
  /** `keyFor(place)` gives HOST/ID of a target; `failed(place, words)` hears that one could not be read, `came(rows)`
      of rows that are shown now. */
  constructor(store, pages, keyFor, failed, came = () => {}) {
    this.came = came;
    this.store = store;
    this.pages = pages;
    this.keyFor = keyFor;
    this.failed = failed;
    this.turn = 0;
  }

  /** What is under way is not wanted any more. */
  cancel() {
    this.turn += 1;
    this.older_ = this.newer_ = null;
    this.pages.forget();
  }

  get part() {
    return Math.min(2000, Math.max(LEAST, Math.ceil((2 * PART) / Math.max(1, this.store.all.length))));
  }

  get hasOlder() {
    return this.store.all.some((log) => log.older.length || (!log.whole && !log.failed));
  }

  get hasNewer() {
    return this.store.all.some((log) => log.newer.length || !log.ended);
  }

  /** Shows older lines; resolves to how many. One step at a time. */
  older() {
    this.older_ ??= this.stepBack().finally(() => (this.older_ = null));
    return this.older_;
  }

  async stepBack() {
    const { store, turn } = this;
    let count = 0;
    for (let round = 0; round < ROUNDS && count < PART && turn === this.turn; round += 1) {
      const rows = store.release();
      count += rows.length;
      this.came(rows);
      const short = store.all.filter((log) => !log.whole && !log.failed && log.older.length < LEAST);
      if (count >= PART || !short.length) break;
      await Promise.all(short.map((log) => this.read(log, "before", turn)));
    }
    return count;
  }

  /** Shows newer lines; resolves to how many. */
  newer() {
    this.newer_ ??= this.stepOn().finally(() => (this.newer_ = null));
    return this.newer_;
  }

  async stepOn() {
    const { store, turn } = this;
    let count = 0;
    for (let round = 0; round < ROUNDS && count < PART && turn === this.turn; round += 1) {
      const rows = store.releaseNewer();
      count += rows.length;
      this.came(rows);
      const short = store.all.filter((log) => !log.ended && log.newer.length < LEAST);
      if (count >= PART || !short.length) break;
      await Promise.all(short.map((log) => this.read(log, "after", turn)));
    }
    return count;
  }

  async read(log, way, turn) {
    const { store } = this;
    const place = way === "before" ? store.frontOf(log) : store.backOf(log);
    if (!place) return; // nothing has come of it yet
    try {
      const question = { target: this.keyFor(log.place), [way]: place, count: this.part };
      if (way === "before") question.behind = store.rows.length + log.older.length;
      const page = await this.pages.ask(question);
      if (turn !== this.turn) return;
      if (way === "before") store.addOlder(log, page.lines, page.more);
      else store.addNewer(log, page.lines, page.more);
    } catch (error) {
      if (turn !== this.turn) return;
      if (way === "after") log.ended = true;
      log.failed = error.message;
      this.failed(log.place, error.message);
    }
  }

  /** Empties the store and fills it with what is around a time, of the targets `places`. */
  async around(stamp, places) {
    this.cancel();
    const { store, turn } = this;
    store.clear();
    for (const place of places) Object.assign(store.log(place), { came: true, ended: false, edge: [stamp, 0] });
    await Promise.all(store.all.flatMap((log) => [this.read(log, "after", turn), this.read(log, "before", turn)]));
    if (turn !== this.turn) return false;
    store.settled = true; // from now on further parts may be asked for
    this.came(store.releaseNewer());
    this.came(store.release());
    return true;
  }

  /** Reads lines that were left out between the row `before` (null: from the time `from` on) and what follows: the next
      ones of `count`. Resolves to the rows. */
  async fill(target, before, from, count) {
    const place = before ? [stampOf(before), this.store.ordinal(before) + 1] : [from, 0];
    const page = await this.pages.ask({ target: this.keyFor(target), after: place, count: Math.min(count, FILL_AT_MOST) });
    return { rows: rowsOf(target, page.lines, before), found: page.found };
  }
}
