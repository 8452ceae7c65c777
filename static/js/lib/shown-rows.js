// The rows that a scrolled list shows, with the height of each: 200,000 rows are added, dropped and found by position
// without walking through them, because heights are summed up in blocks.

const BLOCK = 512;

export class ShownRows {
  constructor() {
    this.clear();
  }

  clear() {
    this.blocks = [];
    this.length = 0;
    this.height = 0;
  }

  push(row, height) {
    let block = this.blocks.at(-1);
    if (!block || block.rows.length >= BLOCK) {
      block = { rows: [], heights: [], height: 0 };
      this.blocks.push(block);
    }
    block.rows.push(row);
    block.heights.push(height);
    block.height += height;
    this.height += height;
    this.length += 1;
  }

  /** [block number, place in it] of row `index`; only the first block can be short at its front. */
  place(index) {
    const first = this.blocks[0]?.rows.length ?? 0;
    if (index < first || this.blocks.length === 1) return [0, index];
    // after a drop the first block is short, and those behind it are full but for the last
    const rest = index - first;
    return [1 + Math.floor(rest / BLOCK), rest % BLOCK];
  }

  at(index) {
    const [block, i] = this.place(index);
    return this.blocks[block]?.rows[i];
  }

  heightAt(index) {
    const [block, i] = this.place(index);
    return this.blocks[block].heights[i];
  }

  setHeight(index, height) {
    const [number, i] = this.place(index);
    const block = this.blocks[number];
    const more = height - block.heights[i];
    block.heights[i] = height;
    block.height += more;
    this.height += more;
    return more;
  }

  /** The distance of row `index` from the top, in pixels. */
  topOf(index) {
    const [number, i] = this.place(index);
    let top = 0;
    for (let n = 0; n < number; n += 1) top += this.blocks[n].height;
    const heights = this.blocks[number]?.heights ?? [];
    for (let n = 0; n < i; n += 1) top += heights[n];
    return top;
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

  /** The index of the first row whose `seq` is `seq` or later. */
  indexOfSeq(seq) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.at(mid).seq < seq) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Drops the rows before `seq`; returns their height. */
  dropBefore(seq) {
    let gone = 0;
    while (this.blocks.length && this.blocks[0].rows.at(-1).seq < seq) {
      const block = this.blocks.shift();
      gone += block.height;
      this.length -= block.rows.length;
    }
    const first = this.blocks[0];
    const count = first ? first.rows.findIndex((row) => row.seq >= seq) : 0;
    if (count > 0) {
      const heights = first.heights.splice(0, count);
      first.rows.splice(0, count);
      const sum = heights.reduce((total, height) => total + height, 0);
      first.height -= sum;
      gone += sum;
      this.length -= count;
    }
    this.height -= gone;
    return gone;
  }
}
