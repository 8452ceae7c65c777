// The part of a log that is on the screen: draws only the rows in view, keeps the reader's place when rows come, go or
// change their height above it, and stays at the end while following.
import { el } from "dermaga/dom";
import { drawRow } from "dermaga/log-row";

export const ROW_PX = 20;
const NOTE_PX = 34;
const SPARE_PX = 240; // drawn above and below, so that a quick wheel shows no white
const AT_END_PX = 4;
const EDGE_PX = 600; // so near an end the next part is asked for
const TRIES = 3; // measuring wrapped rows can move the end; it settles at once or at the second look
const SHOW_TRIES = 6; // each brings other rows into view that were never measured
const LETTER_PX = 7.5;
const BESIDE_PX = 300; // time, name and what is around them
const NARROW = matchMedia("(max-width: 820px)"); // as in logs.css

export class LogWindow {
  /** `view` gives wrapped, isShown and what drawRow needs. `moved(atEnd, up)` hears the reader scroll, `near(top, end)`
      that an end is near. */
  constructor(view, moved, near) {
    this.view = view;
    this.moved = moved;
    this.near = near;
    this.drawn = new Map(); // row -> element
    this.following = true;
    this.lastTop = 0;
    this.list = el("div", { class: "log-rows" });
    this.room = el("div", { class: "log-room" }, this.list);
    this.scroller = el("div", { class: "log-scroll", tabindex: "0", role: "log", "aria-live": "off" }, this.room);
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.scroller);
  }

  get rows() {
    return this.view.store.rows;
  }

  end() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** The height of a row before it was drawn; 0 for one that the filters hide. */
  guess(row) {
    if (!this.view.isShown(row)) return 0;
    if (row.kind !== "line") return NOTE_PX;
    if (!this.view.wrapped) return ROW_PX;
    const lines = Math.max(1, Math.ceil(Math.min(row.text.length, 10_000) / (this.columns || 120)));
    return ROW_PX * (this.isStacked ? lines + 1 : lines);
  }

  /** Whether time and name stand above the text: on a phone they leave it no room. */
  get isStacked() {
    return this.view.wrapped && this.view.showNames && NARROW.matches;
  }

  /** Does `change`, which adds, drops or measures rows; the row in view stays where it is. */
  keeping(change) {
    const anchor = this.following ? null : this.topRow();
    change();
    if (anchor) {
      const index = this.rows.indexOf(anchor.row);
      if (index >= 0) this.jump(this.rows.topOf(index) + anchor.into);
    }
    this.soon();
  }

  /** All rows have other heights or another look. */
  replace() {
    this.keeping(() => this.rows.measureAll((row) => this.guess(row)));
    this.forget();
    this.draw();
  }

  /** {row, into}: the row at the upper edge and how far it is scrolled out; null for an empty log. */
  topRow() {
    const { rows, top } = this.rows.covering(this.scroller.scrollTop, this.scroller.scrollTop + 1);
    return rows.length ? { row: rows[0][1], index: rows[0][0], into: this.scroller.scrollTop - top } : null;
  }

  forget() {
    for (const node of this.drawn.values()) node.remove();
    this.drawn.clear();
  }

  /** Draws a row again when its look changed: a new current hit, a line unfolded. */
  redraw(row) {
    if (!row) return;
    this.drawn.get(row)?.remove();
    this.drawn.delete(row);
    if (row.kind === "line" && !row.open) {
      const index = this.rows.indexOf(row);
      if (index >= 0) this.rows.setHeight(index, this.guess(row));
    }
    this.soon();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  scrolled() {
    const top = this.scroller.scrollTop;
    if (this.following && this.sizeChanged()) {
      this.lastTop = top; // the browser moved the edge, not the reader: the next drawing goes back to the end
      this.soon();
      return;
    }
    const atEnd = top >= this.farthest() - AT_END_PX;
    const up = top < this.lastTop - 1;
    this.lastTop = top;
    if (this.jumped !== undefined && Math.abs(top - this.jumped) <= 1) this.jumped = undefined;
    else this.moved(atEnd, up);
    this.near(top < EDGE_PX, top > this.farthest() - EDGE_PX);
    this.soon();
  }

  sizeChanged() {
    return this.scroller.clientHeight !== this.seenHeight || this.scroller.scrollHeight !== this.seenRoom;
  }

  farthest() {
    return this.scroller.scrollHeight - this.scroller.clientHeight;
  }

  jump(top) {
    this.room.style.height = `${this.rows.height}px`;
    if (Math.abs(this.scroller.scrollTop - top) < 1) return;
    this.scroller.scrollTop = top;
    this.jumped = this.lastTop = this.scroller.scrollTop;
  }

  jumpToEnd() {
    this.room.style.height = `${this.rows.height}px`;
    this.jump(Math.max(0, this.farthest()));
  }

  resize() {
    this.scroller.style.setProperty("--seen", `${this.scroller.clientWidth}px`);
    const columns = Math.max(20, Math.floor((this.scroller.clientWidth - (this.isStacked ? 20 : BESIDE_PX)) / LETTER_PX));
    const changed = this.view.wrapped && this.columns && columns !== this.columns;
    this.columns = columns;
    if (changed) this.replace();
    else this.draw();
  }

  /** Scrolls a row to the middle: again when measuring those above it has moved it. */
  show(row) {
    const index = this.rows.indexOf(row);
    if (index < 0) return;
    for (let n = 0; n < SHOW_TRIES; n += 1) {
      this.jump(Math.max(0, this.rows.topOf(index) - this.scroller.clientHeight / 2 + ROW_PX));
      if (!this.drawOnce()) break;
    }
    this.draw();
  }

  draw() {
    for (let n = 0; n < TRIES; n += 1) {
      if (this.following) this.jumpToEnd();
      if (!this.drawOnce()) break;
    }
    this.seenHeight = this.scroller.clientHeight;
    this.seenRoom = this.scroller.scrollHeight;
  }

  /** Draws the rows in view; returns whether measuring changed a height. */
  drawOnce() {
    const { scroller } = this;
    this.room.style.height = `${this.rows.height}px`;
    const from = Math.max(0, scroller.scrollTop - SPARE_PX);
    const { rows, top } = this.rows.covering(from, scroller.scrollTop + scroller.clientHeight + SPARE_PX);
    this.list.style.transform = `translateY(${top}px)`;
    this.place(rows.map(([, row]) => row));
    return this.measure(rows);
  }

  place(wanted) {
    const kept = new Set(wanted);
    for (const [row, node] of this.drawn) {
      if (kept.has(row)) continue;
      node.remove();
      this.drawn.delete(row);
    }
    let before = this.list.firstChild;
    for (const row of wanted) {
      let node = this.drawn.get(row);
      if (!node) {
        node = drawRow(row, this.view);
        this.drawn.set(row, node);
      }
      if (node === before) before = before.nextSibling;
      else this.list.insertBefore(node, before);
    }
  }

  measure(wanted) {
    const free = this.view.wrapped ? wanted : wanted.filter(([, row]) => row.open);
    if (!free.length) return false;
    const { rows, scroller } = this;
    const anchor = rows.indexAt(scroller.scrollTop);
    let above = 0;
    let changed = false;
    const heights = free.map(([, row]) => this.drawn.get(row).getBoundingClientRect().height);
    free.forEach(([index], n) => {
      if (Math.abs(heights[n] - rows.heightAt(index)) < 0.5) return;
      const more = rows.setHeight(index, heights[n]);
      changed = true;
      if (index < anchor) above += more;
    });
    if (above && !this.following) this.jump(scroller.scrollTop + above);
    return changed;
  }
}
