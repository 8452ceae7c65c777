// Where in a log its reader is: at the newest lines, which come by themselves; resting; or at another time, from where
// older and newer parts are read as the reader comes near their ends.
import { momentOf } from "dermaga/log-line";
import { LIVE_ROOM, ROOM } from "dermaga/log-store";
import { number, t } from "dermaga/words";

const FEW = 200; // lines that came at first; with fewer a part of what is older is read at once

export class LogPosition {
  /** `view` gives store, rows, reader, live, window, search, links, targets, isShown(row), and hears say(words),
      showFollow(mode, fresh), showOlder(is), changed(). `at` is a time that the address names. */
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.fresh = 0; // lines that came while resting
    this.pausedBy = "";
  }

  get following() {
    return this.view.window.following;
  }

  get isAway() {
    return !this.view.live.isOpen;
  }

  show() {
    const mode = this.following ? "following" : this.isAway ? "away" : "paused";
    this.view.showFollow(mode, this.fresh);
  }

  // ------------------------------------------------------------ following and resting

  pause(by) {
    this.pausedBy = by;
    if (!this.following) return;
    this.view.window.following = false;
    this.fresh = 0;
    this.show();
  }

  /** To the newest lines, which are read anew when they are not here. */
  resume() {
    const { view } = this;
    if (this.isAway) this.startAnew();
    view.window.following = true;
    this.fresh = 0;
    this.at = "";
    view.store.room = Math.min(ROOM, Math.max(LIVE_ROOM, view.rows.length));
    this.show();
    view.links.soon();
    view.window.draw();
  }

  startAnew() {
    const { view } = this;
    view.reader.cancel();
    view.forgetRows();
    view.store.clear();
    view.targets.forEach((_one, place) => view.store.log(place));
    view.live.begin();
  }

  /** The newest lines are no longer held: the reader is elsewhere. */
  leaveLive() {
    const { view } = this;
    view.live.flush(true);
    view.live.end();
    view.store.trimBack();
    for (const log of view.store.all) log.ended = false;
    view.search.restart();
    this.show();
  }

  /** Rows came at the end. */
  grew(rows) {
    const { view } = this;
    if (this.following) {
      view.search.dropped(view.store.trim());
      return;
    }
    this.fresh += rows.filter((row) => view.isShown(row)).length;
    if (view.rows.length > ROOM) this.leaveLive();
    this.show();
  }

  /** The past has come. */
  settled() {
    if (this.view.rows.length < FEW) this.readOlder();
    else this.showOlder();
  }

  // ------------------------------------------------------------ other times

  /** Shows what is around a time. */
  async goTo(stamp) {
    if (!(await this.readAround(stamp))) return;
    const { view } = this;
    this.at = stamp;
    view.links.soon();
    const row = this.firstFrom(Date.parse(stamp));
    if (row) view.window.show(row);
    else view.scroller.scrollTop = view.rows.height;
  }

  firstFrom(ms) {
    for (const { rows } of this.view.rows.blocks) {
      const found = rows.find((row) => row.ms >= ms && this.view.isShown(row));
      if (found) return found;
    }
    return null;
  }

  async readAround(stamp) {
    const { view } = this;
    view.live.end();
    this.pause("button");
    view.forgetRows();
    this.show();
    view.say(t("Reading %(n)s logs", { n: number(view.targets.length) }));
    const isDone = await view.reader.around(stamp, view.targets.map((_one, place) => place));
    if (!isDone) return false;
    view.say("");
    view.forgetRows();
    view.changed(true);
    this.showOlder();
    return true;
  }

  /** Shows a line of a link, with what is around it. */
  async goToLine({ key, stamp, ordinal }) {
    const { view } = this;
    const place = view.targets.findIndex((one) => one.key === key || one.key.startsWith(key) || one.shown === key);
    const found = await this.reach(place, stamp, ordinal);
    if (found === undefined) return;
    if (!found) view.say(t("This line is gone: the engine no longer has it."), true);
    view.chosen = found;
    view.show(found);
    view.links.soon();
  }

  /** The row of a line: read from the engine when it is not here. undefined when something else was asked meanwhile. */
  async reach(place, stamp, ordinal) {
    const [ms, ns] = momentOf(stamp);
    const { store } = this.view;
    const here = store.lookUp(place, ms, ns, ordinal);
    if (here) return here;
    if (!(await this.readAround(stamp))) return undefined;
    return store.lookUp(place, ms, ns, ordinal);
  }

  // ------------------------------------------------------------ scrolling

  readerMoved(atEnd, up) {
    if (this.following && up && !atEnd) this.pause("scroll");
    else if (!this.following && !this.isAway && atEnd && !up && this.pausedBy === "scroll") this.resume();
    this.showOlder();
  }

  /** Near an end of what is here the next part is read. */
  nearEnd(top, end) {
    if (top && !this.following) this.readOlder();
    if (end && this.isAway) this.readNewer();
  }

  toTop() {
    this.pause("button");
    this.view.scroller.scrollTop = 0;
    this.readOlder();
  }

  async readOlder() {
    const { view } = this;
    if (!view.store.settled || this.readingOlder || !view.reader.hasOlder) return;
    this.readingOlder = true;
    view.store.room = ROOM;
    try {
      await view.reader.older();
      if (view.rows.length > ROOM) this.leaveLive();
    } finally {
      this.readingOlder = false;
    }
    this.showOlder();
    view.changed();
  }

  async readNewer() {
    const { view } = this;
    if (this.readingNewer || !view.store.settled) return;
    this.readingNewer = true;
    try {
      if (view.reader.hasNewer) await view.reader.newer();
      view.search.dropped(view.store.trim(ROOM));
      if (this.isAway && !view.reader.hasNewer) view.live.begin(); // it goes on behind what is here
    } finally {
      this.readingNewer = false;
    }
    this.show();
    view.window.soon();
  }

  /** The button for older lines shows when there is nothing to scroll. */
  showOlder() {
    const { store, rows, reader, scroller } = this.view;
    const atTop = scroller.scrollTop < 1 && !this.following;
    const isShort = rows.height < scroller.clientHeight;
    this.view.showOlder(store.settled && reader.hasOlder && (atTop || isShort));
  }
}
