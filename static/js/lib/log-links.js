// What leads to a log view as it is: the address that holds it, links to single lines, downloads.
import { stampOf } from "dermaga/log-line";
import { writeUrl } from "dermaga/log-url";
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

const URL_MS = 300; // browsers refuse addresses that change too often

export class LogLinks {
  /** `view` gives only, query, at, chosen, targets, store, pause(), redraw(row). */
  constructor(view) {
    this.view = view;
  }

  lineOf(row) {
    const { targets, store } = this.view;
    return `${targets[row.target].key}/${stampOf(row)}/${store.ordinal(row)}`;
  }

  /** The address of a row for its link: which of the lines of its moment it is is counted only when it is chosen. */
  to(row) {
    return writeUrl(location.search, { ...this.held, line: `${this.view.targets[row.target].key}/${stampOf(row)}/0` });
  }

  get held() {
    const { only, query, at } = this.view;
    return { only, query, at };
  }

  /** Chooses a line: the address leads to it from now on, and is copied. */
  async choose(row) {
    if (!row || row.kind !== "line") return;
    const { view } = this;
    view.pause("button");
    const old = view.chosen;
    view.chosen = row;
    for (const one of [old, row]) view.window.redraw(one);
    this.write();
    try {
      await navigator.clipboard.writeText(location.href);
      toast(t("The link to this line is copied"));
    } catch {
      toast(t("The address leads to this line now"));
    }
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), URL_MS);
  }

  write() {
    clearTimeout(this.timer);
    const { chosen, rows } = this.view;
    const line = chosen && rows.indexOf(chosen) >= 0 ? this.lineOf(chosen) : null;
    history.replaceState(history.state, "", `${location.pathname}${writeUrl(location.search, { ...this.held, line })}`);
  }

  end() {
    clearTimeout(this.timer);
  }

  /** Where `query` of the log is downloaded; what a page of any choice shows stands in its own address. */
  download(query) {
    const own = new URLSearchParams(location.search);
    if (this.view.hasAttribute("choice")) for (const name of ["target", "host", "project", "service"]) for (const value of own.getAll(name)) query.append(name, value);
    return `${this.view.getAttribute("download")}?${query}`;
  }
}
