// The rows that a log view holds, in order of time, with the height of each: 200,000 rows are added at either end or in
// between, dropped, hidden and found by position without walking through them, because blocks of them are summed up.

const BLOCK = 512;

/** The row by whose time `row` is ordered: a line that goes on with another stays with it. */
export const keyOf = (row) => row.head ?? row;

/** Orders rows by time to the nanosecond; equal times are 0. */
export function compareRows(one, other) {
  const [a, b] = [keyOf(one), keyOf(other)];
  return a.ms - b.ms || a.ns - b.ns;
}

function newBlock(rows, heights) {
  return { rows, heights, height: heights.reduce((sum, height) => sum + height, 0) };
}

export class LogRows {
  constructor() {
    this.clear();
  }

  clear() {
    this.blocks = [];
    this.length = 0;
    this.height = 0;
  }

  get first() {
    return this.blocks[0]?.rows[0];
  }

  get last() {
    return this.blocks.at(-1)?.rows.at(-1);
  }

  *[Symbol.iterator]() {
    for (const block of this.blocks) yield* block.rows;
  }

  // ------------------------------------------------------------ adding

  /** Adds rows that are in order among themselves, each behind those of its time (`before`: in front of them); never in
      front of the row `behind`. `heightOf(row)` gives the first guess. */
  insert(rows, heightOf, { before = false, behind = null } = {}) {
    for (const row of before ? rows.toReversed() : rows) {
      let spot = this.spotFor(row, before);
      const floor = behind ? this.find(behind) : null;
      if (floor && this.isAhead(spot, floor)) spot = [floor[0], floor[1] + 1];
      this.put(spot, row, heightOf(row));
    }
  }

  /** Whether spot `one` is in front of or at the row at `other`. */
  isAhead([oneBlock, oneAt], [otherBlock, otherAt]) {
    return oneBlock < otherBlock || (oneBlock === otherBlock && oneAt <= otherAt);
  }

  topOfSpot([number, at]) {
    let top = 0;
    for (let n = 0; n < number; n += 1) top += this.blocks[n].height;
    const heights = this.blocks[number]?.heights ?? [];
    for (let n = 0; n < Math.min(at, heights.length); n += 1) top += heights[n];
    return top;
  }

  /** [block, place in it] where `row` belongs: behind all of its time, or in front of them. */
  spotFor(row, before) {
    const { blocks } = this;
    const isLeft = before ? (other) => compareRows(other, row) < 0 : (other) => compareRows(other, row) <= 0;
    if (!blocks.length) return [0, 0];
    if (isLeft(this.last)) return [blocks.length - 1, blocks.at(-1).rows.length];
    if (!isLeft(this.first)) return [0, 0];
    let [low, high] = [0, blocks.length - 1]; // the last block that begins left of the row
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (isLeft(blocks[mid].rows[0])) low = mid;
      else high = mid - 1;
    }
    const { rows } = blocks[low];
    let [from, to] = [0, rows.length];
    while (from < to) {
      const mid = (from + to) >> 1;
      if (isLeft(rows[mid])) from = mid + 1;
      else to = mid;
    }
    return [low, from];
  }

  put([number, at], row, height) {
    const block = this.blocks[number];
    const isEnd = number === this.blocks.length - 1 && at === block?.rows.length;
    this.length += 1;
    this.height += height;
    if (!block || (isEnd && block.rows.length >= BLOCK)) {
      this.blocks.push(newBlock([row], [height]));
      return;
    }
    if (number === 0 && at === 0 && block.rows.length >= BLOCK) {
      this.blocks.unshift(newBlock([row], [height]));
      return;
    }
    block.rows.splice(at, 0, row);
    block.heights.splice(at, 0, height);
    block.height += height;
    if (block.rows.length < 2 * BLOCK) return;
    const rest = newBlock(block.rows.splice(BLOCK), block.heights.splice(BLOCK));
    block.height -= rest.height;
    this.blocks.splice(number + 1, 0, rest);
  }

  // ------------------------------------------------------------ finding

  /** [block, place in it] of a row that is here; null otherwise. */
  find(row) {
    if (!this.blocks.length) return null;
    const [from, at] = this.spotFor(row, true);
    for (let number = from; number < this.blocks.length; number += 1) {
      const { rows } = this.blocks[number];
      for (let n = number === from ? at : 0; n < rows.length; n += 1) {
        if (rows[n] === row) return [number, n];
        if (compareRows(rows[n], row) > 0) return null;
      }
    }
    return null;
  }

  /** [block, place in it] of row `index`. */
  place(index) {
    let rest = index;
    for (let number = 0; number < this.blocks.length; number += 1) {
      const { length } = this.blocks[number].rows;
      if (rest < length) return [number, rest];
      rest -= length;
    }
    return [this.blocks.length - 1, this.blocks.at(-1)?.rows.length ?? 0];
  }

  /** The index of a row; -1 when it is not here. */
  indexOf(row) {
    const found = this.find(row);
    if (!found) return -1;
    let index = found[1];
    for (let n = 0; n < found[0]; n += 1) index += this.blocks[n].rows.length;
    return index;
  }

  at(index) {
    const [number, n] = this.place(index);
    return this.blocks[number]?.rows[n];
  }

  /** The rows from `index` on, with their indexes: [[row, index], ...]; goes back with `step` -1. */
  *from(index, step = 1) {
    let [number, n] = this.place(index);
    for (let at = index; at >= 0 && at < this.length; at += step) {
      yield [this.blocks[number].rows[n], at];
      n += step;
      if (n < 0) n = (this.blocks[(number -= 1)]?.rows.length ?? 0) - 1;
      else if (n >= this.blocks[number].rows.length) [number, n] = [number + 1, 0];
    }
  }

  // ------------------------------------------------------------ heights

  heightAt(index) {
    const [number, n] = this.place(index);
    return this.blocks[number].heights[n];
  }

  setHeight(index, height) {
    const [number, n] = this.place(index);
    const block = this.blocks[number];
    const more = height - block.heights[n];
    block.heights[n] = height;
    block.height += more;
    this.height += more;
    return more;
  }

  /** Gives every row a new height: after a filter or another way of drawing. */
  measureAll(heightOf) {
    this.height = 0;
    for (const block of this.blocks) {
      block.heights = block.rows.map(heightOf);
      block.height = block.heights.reduce((sum, height) => sum + height, 0);
      this.height += block.height;
    }
  }

  /** The distance of row `index` from the top, in pixels. */
  topOf(index) {
    return this.topOfSpot(this.place(index));
  }

  /** The index of the row that covers `y`; the last one when `y` lies below all. */
  indexAt(y) {
    let index = 0;
    let top = 0;
    for (const block of this.blocks) {
      if (top + block.height <= y) {
        top += block.height;
        index += block.rows.length;
        continue;
      }
      for (const height of block.heights) {
        top += height;
        if (top > y) return index;
        index += 1;
      }
    }
    return Math.max(0, this.length - 1);
  }

  /** The rows with a height that cover `y` to `end`, blocks of hidden ones skipped: {rows: [[index, row], ...], top}. */
  covering(y, end) {
    const found = { rows: [], top: 0 };
    let [index, top] = [0, 0];
    for (const { rows, heights, height } of this.blocks) {
      if (top >= end) break;
      if (!height || top + height <= y) {
        index += rows.length;
        top += height;
        continue;
      }
      for (let n = 0; n < rows.length && top < end; n += 1) {
        if (heights[n] && top + heights[n] > y) {
          if (!found.rows.length) found.top = top;
          found.rows.push([index + n, rows[n]]);
        }
        top += heights[n];
      }
      index += rows.length;
    }
    return found;
  }

  // ------------------------------------------------------------ dropping

  /** Takes rows away from the front until `isEnough(row, n)` says so of the first that stays; returns {rows, height}. */
  dropFront(isEnough) {
    const gone = { rows: [], height: 0 };
    while (this.blocks.length) {
      const [block] = this.blocks;
      let count = block.rows.findIndex((row, n) => isEnough(row, gone.rows.length + n));
      if (count < 0) count = block.rows.length;
      const height = count === block.rows.length ? block.height : block.heights.slice(0, count).reduce((sum, one) => sum + one, 0);
      for (const row of block.rows.splice(0, count)) gone.rows.push(row);
      block.heights.splice(0, count);
      block.height -= height;
      gone.height += height;
      if (block.rows.length) break;
      this.blocks.shift();
    }
    this.length -= gone.rows.length;
    this.height -= gone.height;
    return gone;
  }

  /** Takes the last `count` rows away and returns them in order. */
  dropBack(count) {
    const gone = [];
    while (gone.length < count && this.blocks.length) {
      const block = this.blocks.at(-1);
      const from = Math.max(0, block.rows.length - (count - gone.length));
      gone.unshift(...block.rows.splice(from));
      const height = block.heights.splice(from).reduce((sum, one) => sum + one, 0);
      block.height -= height;
      this.height -= height;
      if (!block.rows.length) this.blocks.pop();
    }
    this.length -= gone.length;
    return gone;
  }

  /** Takes one row away; returns its height. */
  remove(row) {
    const found = this.find(row);
    if (!found) return 0;
    const block = this.blocks[found[0]];
    block.rows.splice(found[1], 1);
    const [height] = block.heights.splice(found[1], 1);
    block.height -= height;
    this.height -= height;
    this.length -= 1;
    if (!block.rows.length) this.blocks.splice(found[0], 1);
    return height;
  }
}
