// The part of a log that is on the screen: draws only the rows in view, keeps the reader's place when rows above
// change their height or are dropped, and stays at the end while following.
import { el } from "dermaga/dom";
import { drawRow } from "dermaga/log-row";
import { ShownRows } from "dermaga/shown-rows";

export const ROW_PX = 20;
const NOTE_PX = 34;
const SPARE_PX = 240; // drawn above and below, so that a quick wheel shows no white
const AT_END_PX = 4;
const TRIES = 3; // measuring wrapped rows can move the end; it settles at once or at the second look

export class LogWindow {
  /** `view` gives wrapped, targets, search, showTimes, showNames; `moved(atEnd)` hears the reader scroll. */
  constructor(view, moved) {
    this.view = view;
    this.moved = moved;
    this.shown = new ShownRows();
    this.drawn = new Map(); // sequence number -> element
    this.following = true;
    this.lastTop = 0;
    this.rows = el("div", { class: "log-rows" });
    this.room = el("div", { class: "log-room" }, this.rows);
    this.scroller = el("div", { class: "log-scroll", tabindex: "0", role: "log", "aria-live": "off" }, this.room);
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.scroller);
  }

  end() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  guess(row) {
    if (row.kind !== "line") return NOTE_PX;
    if (!this.view.wrapped) return ROW_PX;
    return ROW_PX * Math.max(1, Math.ceil(Math.min(row.text.length, 10_000) / (this.columns || 120)));
  }

  add(row) {
    this.shown.push(row, this.guess(row));
  }

  /** Shows `rows` instead of what was shown; the row in view stays in view. */
  replace(rows) {
    const anchor = this.topRow();
    this.shown.clear();
    for (const row of rows) this.add(row);
    this.forget();
    if (!this.following && anchor) this.jump(this.shown.topOf(this.shown.indexOfSeq(anchor.seq)) + anchor.into);
    this.draw();
  }

  /** Rows before `seq` are gone; what is in view does not move. */
  dropBefore(seq) {
    const gone = this.shown.dropBefore(seq);
    if (gone && !this.following) this.jump(Math.max(0, this.scroller.scrollTop - gone));
  }

  /** {seq, into}: the row at the upper edge and how far it is scrolled out; null for an empty log. */
  topRow() {
    if (!this.shown.length) return null;
    const index = this.shown.indexAt(this.scroller.scrollTop);
    return { seq: this.shown.at(index).seq, into: this.scroller.scrollTop - this.shown.topOf(index) };
  }

  forget() {
    for (const node of this.drawn.values()) node.remove();
    this.drawn.clear();
  }

  /** Draws a row again when its look changed: a new current hit, a line unfolded. */
  redraw(seq) {
    this.drawn.get(seq)?.remove();
    this.drawn.delete(seq);
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
    this.soon();
  }

  sizeChanged() {
    return this.scroller.clientHeight !== this.seenHeight || this.scroller.scrollHeight !== this.seenRoom;
  }

  farthest() {
    return this.scroller.scrollHeight - this.scroller.clientHeight;
  }

  jump(top) {
    this.room.style.height = `${this.shown.height}px`;
    if (Math.abs(this.scroller.scrollTop - top) < 1) return;
    this.scroller.scrollTop = top;
    this.jumped = this.lastTop = this.scroller.scrollTop;
  }

  jumpToEnd() {
    this.room.style.height = `${this.shown.height}px`;
    this.jump(Math.max(0, this.farthest()));
  }

  resize() {
    this.scroller.style.setProperty("--seen", `${this.scroller.clientWidth}px`);
    const columns = Math.max(20, Math.floor((this.scroller.clientWidth - 300) / 7.5));
    const changed = this.view.wrapped && this.columns && columns !== this.columns;
    this.columns = columns;
    if (changed) this.replace(Array.from({ length: this.shown.length }, (_, n) => this.shown.at(n)));
    else this.draw();
  }

  /** Scrolls row `seq` to the middle. */
  show(seq) {
    const index = this.shown.indexOfSeq(seq);
    const top = this.shown.topOf(index) - this.scroller.clientHeight / 2 + ROW_PX;
    this.jump(Math.max(0, top));
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
    const { shown, scroller } = this;
    this.room.style.height = `${shown.height}px`;
    const from = shown.indexAt(Math.max(0, scroller.scrollTop - SPARE_PX));
    const end = scroller.scrollTop + scroller.clientHeight + SPARE_PX;
    let top = shown.length ? shown.topOf(from) : 0;
    this.rows.style.transform = `translateY(${top}px)`;
    const wanted = [];
    for (let index = from; index < shown.length && top < end; index += 1) {
      wanted.push([index, shown.at(index)]);
      top += shown.heightAt(index);
    }
    this.place(wanted.map(([, row]) => row));
    return this.measure(wanted);
  }

  place(wanted) {
    const kept = new Set(wanted.map((row) => row.seq));
    for (const [seq, node] of this.drawn) {
      if (kept.has(seq)) continue;
      node.remove();
      this.drawn.delete(seq);
    }
    let before = this.rows.firstChild;
    for (const row of wanted) {
      let node = this.drawn.get(row.seq);
      if (!node) {
        node = drawRow(row, this.view);
        this.drawn.set(row.seq, node);
      }
      if (node === before) before = before.nextSibling;
      else this.rows.insertBefore(node, before);
    }
  }

  measure(wanted) {
    if (!this.view.wrapped) return false;
    const { shown, scroller } = this;
    const anchor = shown.length ? shown.indexAt(scroller.scrollTop) : 0;
    let above = 0;
    let changed = false;
    const heights = wanted.map(([, row]) => this.drawn.get(row.seq).getBoundingClientRect().height);
    wanted.forEach(([index], n) => {
      if (Math.abs(heights[n] - shown.heightAt(index)) < 0.5) return;
      const more = shown.setHeight(index, heights[n]);
      changed = true;
      if (index < anchor) above += more;
    });
    if (above && !this.following) this.jump(scroller.scrollTop + above);
    return changed;
  }
}
