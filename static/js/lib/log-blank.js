// What stands where a log view has no lines, and why it has none: nothing written, hidden by the filters, not allowed.
import { el } from "dermaga/dom";
import { number, t } from "dermaga/words";

export class LogBlank {
  /** `view` gives rows, store, targets, only, isShown(row), position.isAway, live.lost and clearOnly(). */
  constructor(view) {
    this.view = view;
    this.words = el("p", {});
    this.clear = el("button", { type: "button", class: "button", onclick: () => view.clearOnly() }, t("Clear the filter"));
    this.node = el("div", { class: "log-blank muted", hidden: true }, this.words, this.clear);
    this.refusal = "";
  }

  /** The server closed the log; its words stay. */
  refuse(words) {
    this.refusal = words;
    this.show();
  }

  show() {
    const { words, hides } = this.reason();
    this.node.hidden = !words;
    this.clear.hidden = !hides;
    if (this.words.textContent !== words) this.words.textContent = words;
  }

  reason() {
    const { store, live, rows } = this.view;
    const lines = store.counts.stdout + store.counts.stderr;
    if (!lines && this.refusal) return { words: this.refusal };
    if (!store.settled) return { words: "" };
    if (lines) return this.isHidden() ? { words: t("The filter hides all %(n)s lines.", { n: number(lines) }), hides: true } : { words: "" };
    if (!this.view.targets.length) return { words: t("No container belongs to this choice yet. The lines of those to come appear here.") };
    if (live.lost.size && rows.length) return { words: "" }; // a row says why
    if (this.view.position.isAway) return { words: t("No lines of this time.") };
    return { words: t("Nothing was written yet. New lines appear here by themselves.") };
  }

  /** Whether the filters leave no line. Looks no further than the first one that shows. */
  isHidden() {
    const { rows, only } = this.view;
    if (!only.level.size && !only.stream.size) return false;
    return !rows.blocks.some((block) => block.rows.some((row) => row.kind === "line" && this.view.isShown(row)));
  }
}
