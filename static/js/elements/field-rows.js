// <field-rows part="env"><div class="row-list"><div class="row-line">...</div></div><template>...</template></field-rows>:
// rows are added and removed here, and a .env file that is picked or dropped is sent to be read. Without this script the
// same buttons ask the server.
const SECRET = /pass|pwd|secret|token|key|credential|private|auth|salt|dsn|signature|cookie/i; // as hosts/forms/rows.py

class FieldRows extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".row-list");
    this.model = this.querySelector("template");
    this.addEventListener("click", this.clicked);
    this.addEventListener("keydown", this.pressed);
    this.addEventListener("input", this.typed);
    this.reader = this.querySelector("[data-read]");
    if (this.reader) this.takeFiles();
  }

  get lines() {
    return [...this.list.querySelectorAll(":scope > .row-line")];
  }

  clicked(event) {
    const button = event.target.closest("button[name=turn]");
    if (!button) return;
    if (button.value.endsWith(".add")) {
      event.preventDefault();
      this.add();
    } else if (button.dataset.drop !== undefined) {
      event.preventDefault();
      this.drop(button.closest(".row-line"));
    }
  }

  /** Enter goes to a new row, and never sends the form. */
  pressed(event) {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("input:not([type=checkbox], [type=file])")) return;
    event.preventDefault();
    if (event.target.value.trim()) this.add(event.target.closest(".row-line"));
  }

  typed(event) {
    if (event.target.dataset.column !== "name") return;
    const line = event.target.closest(".row-line");
    if (line.querySelector(".peek")) line.classList.toggle("secret", SECRET.test(event.target.value));
  }

  add(after) {
    const free = Math.max(-1, ...this.lines.map((line) => this.numberOf(line))) + 1;
    const line = this.model.content.firstElementChild.cloneNode(true);
    const prefix = `${this.getAttribute("part")}.__.`;
    for (const field of line.querySelectorAll("[name]")) field.name = field.name.replace(prefix, prefix.replace("__", free));
    if (after) after.after(line);
    else this.list.append(line);
    line.querySelector("[data-column]").focus();
  }

  numberOf(line) {
    return Number(line.querySelector("[data-column]").name.slice(this.getAttribute("part").length + 1).split(".")[0]);
  }

  drop(line) {
    const lines = this.lines;
    const next = lines[lines.indexOf(line) + 1] ?? lines[lines.indexOf(line) - 1];
    line.remove();
    if (!next) return this.add();
    next.querySelector("[data-column]").focus();
  }

  takeFiles() {
    const input = this.querySelector("input[type=file]");
    this.reader.hidden = true;
    this.querySelector(".file-hint").hidden = false;
    input.addEventListener("change", () => input.files.length && this.reader.click());
    this.addEventListener("dragover", (event) => this.dragged(event, true));
    this.addEventListener("dragleave", (event) => this.dragged(event, this.contains(event.relatedTarget)));
    this.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      this.classList.remove("dropping");
      input.files = event.dataTransfer.files;
      this.reader.click();
    });
  }

  dragged(event, isOver) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.classList.toggle("dropping", isOver);
  }
}

customElements.define("field-rows", FieldRows);
