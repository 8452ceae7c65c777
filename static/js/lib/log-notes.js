// What stands between the lines of a log: its words, and reading what a row stands for.
import { momentOf } from "dermaga/log-line";
import { when } from "dermaga/log-row";
import { number, t } from "dermaga/words";

const GAP_REASONS = { rotated: "rotated away by the engine" };

export function gapWords({ from, to, reason }) {
  const words = (stamp) => (stamp ? when(momentOf(stamp)[0]) : "?");
  return t("lines from %(from)s to %(to)s are missing: %(reason)s", { from: words(from), to: words(to), reason: t(GAP_REASONS[reason] ?? reason ?? "") });
}

export function skippedWords(count) {
  return t("%(n)s lines skipped: this browser was too slow", { n: number(count) });
}

/** Why the server will not have a view. */
export function refusedWords(code, reason) {
  const words = { 4403: t("Your role does not allow this."), 4404: t("This container is gone."), 4429: t("Too many logs are open. Close one and load this page again.") };
  return reason || words[code] || t("The server closed the log (%(code)s).", { code });
}

/** Puts the lines that the row `note` stands for in its place, or as many of them as come in one go. */
export async function fill(view, note, button) {
  const { before, from, count } = note.note;
  button.disabled = true;
  try {
    const { rows } = await view.reader.fill(note.target, before, from, count);
    view.window.keeping(() => view.rows.remove(note));
    view.store.show(rows, { before: true, behind: before });
    view.search.added(rows);
    if (rows.length && rows.length < count) keepRest(view, note, rows, count - rows.length);
  } catch (error) {
    button.disabled = false;
    view.say(error.message, true);
  }
}

function keepRest(view, note, rows, left) {
  note.text = skippedWords(left);
  note.head = rows.at(-1).head ?? rows.at(-1);
  note.note = { ...note.note, count: left, before: rows.at(-1) };
  view.store.show([note]);
  view.window.redraw(note);
}
