// <folder-pick> around the file input of a form: a folder that is picked, or dropped anywhere on the form, becomes a tar in
// that input, made in the browser, and is sent with the form. Without scripts one sends a tar of one's own.
import { ENTRIES_AT_MOST, droppedEntries, pickedEntries } from "dermaga/dropped";
import { bytes } from "dermaga/stats-series";
import { tarOf } from "dermaga/tar";
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

/** Entries as they are inside of the one folder that was picked, its name, and whether it was one. */
function inside(entries) {
  const roots = new Set(entries.map(({ name }) => name.split("/")[0]));
  const [root] = roots;
  const isOne = roots.size === 1 && entries.every(({ name, file }) => !file || name.includes("/"));
  if (!isOne) return { entries, root: t("files") };
  const rest = entries.map((entry) => ({ ...entry, name: entry.name.slice(root.length + 1) })).filter(({ name }) => name);
  return { entries: rest, root };
}

class FolderPick extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.input = this.querySelector("input[name=files]");
    this.folder = this.querySelector("input[webkitdirectory]");
    this.said = this.querySelector("[role=status]");
    this.querySelector("[data-pick]").hidden = false;
    this.querySelector("[data-pick]").addEventListener("click", () => this.folder.click());
    this.folder.addEventListener("change", () => this.take(pickedEntries(this.folder)));
    this.input.addEventListener("change", () => this.say(""));
    this.over = (event) => this.dragged(event, true);
    this.leave = (event) => this.dragged(event, this.form.contains(event.relatedTarget));
    this.drop = (event) => this.dropped(event);
    this.form.addEventListener("dragover", this.over);
    this.form.addEventListener("dragleave", this.leave);
    this.form.addEventListener("drop", this.drop);
  }

  disconnectedCallback() {
    this.form.removeEventListener("dragover", this.over);
    this.form.removeEventListener("dragleave", this.leave);
    this.form.removeEventListener("drop", this.drop);
  }

  dragged(event, isOver) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.form.classList.toggle("dropping", isOver);
  }

  async dropped(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.form.classList.remove("dropping");
    try {
      this.take(await droppedEntries(event.dataTransfer));
    } catch (error) {
      toast(t("This cannot be read: %(why)s", { why: error.message }), "error");
    }
  }

  take(found) {
    this.folder.value = "";
    if (!found.length) return;
    if (found.length >= ENTRIES_AT_MOST) {
      toast(t("That is too much at once. Pack it into a tar."), "error");
      return;
    }
    const { entries, root } = inside(found);
    const tar = new File([tarOf(entries, 0o755)], `${root}.tar`); // as the docker command line does where no modes are known
    const files = new DataTransfer();
    files.items.add(tar);
    this.input.files = files.files;
    this.form.querySelector("[name=source][value=tar]").checked = true;
    const count = entries.filter(({ file }) => file).length;
    this.say(t("%(name)s: %(n)s files, %(size)s", { name: root, n: count, size: bytes(tar.size) }));
  }

  say(words) {
    this.said.textContent = words;
  }
}

customElements.define("folder-pick", FolderPick);
