// <file-drop url path>: files and folders that are dropped on the card around it, or picked, are sent as one tar, which
// the server unpacks into `path`. Without scripts the links in it lead to a form.
import { csrfToken } from "dermaga/cookies";
import { ENTRIES_AT_MOST, droppedEntries, pickedEntries } from "dermaga/dropped";
import { bytes } from "dermaga/stats-series";
import { tarOf } from "dermaga/tar";
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

class FileDrop extends HTMLElement {
  connectedCallback() {
    this.card = this.closest(".card");
    for (const node of this.querySelectorAll("[data-pick], .file-hint")) node.hidden = false;
    this.addEventListener("click", this.clicked);
    this.addEventListener("change", this.picked);
    this.over = (event) => this.dragged(event, true);
    this.leave = (event) => this.dragged(event, this.card.contains(event.relatedTarget));
    this.drop = (event) => this.dropped(event);
    this.card.addEventListener("dragover", this.over);
    this.card.addEventListener("dragleave", this.leave);
    this.card.addEventListener("drop", this.drop);
  }

  disconnectedCallback() {
    this.card.removeEventListener("dragover", this.over);
    this.card.removeEventListener("dragleave", this.leave);
    this.card.removeEventListener("drop", this.drop);
    this.request?.abort();
  }

  clicked(event) {
    const pick = event.target.closest("[data-pick]")?.dataset.pick;
    if (pick) this.querySelector(pick === "folder" ? "input[webkitdirectory]" : "input[multiple]").click();
    if (event.target.closest("[data-stop]")) this.request?.abort();
  }

  picked(event) {
    const entries = pickedEntries(event.target);
    event.target.value = "";
    if (entries.length) this.send(entries);
  }

  dragged(event, isOver) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.card.classList.toggle("dropping", isOver);
  }

  async dropped(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.card.classList.remove("dropping");
    let entries;
    try {
      entries = await droppedEntries(event.dataTransfer);
    } catch (error) {
      toast(t("This cannot be read: %(why)s", { why: error.message }), "error");
      return;
    }
    if (entries.length >= ENTRIES_AT_MOST) toast(t("That is too much at once. Pack it into a tar."), "error");
    else if (entries.length) this.send(entries);
  }

  send(entries) {
    if (this.request) {
      toast(t("Wait until the files before have been sent."), "warning");
      return;
    }
    const form = new FormData();
    form.append("path", this.getAttribute("path"));
    form.append("unpack", "1");
    form.append("files", tarOf(entries), "upload.tar");
    const request = new XMLHttpRequest();
    this.request = request;
    request.open("POST", this.getAttribute("url"));
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => this.show(event.loaded, event.total));
    request.addEventListener("loadend", () => this.ended(request));
    this.show(0, 0);
    request.send(form);
  }

  show(sent, total) {
    const place = this.querySelector(".file-progress");
    place.hidden = false;
    const bar = place.querySelector("progress");
    if (total) bar.value = sent / total;
    else bar.removeAttribute("value");
    const words = t("%(n)s of %(total)s", { n: bytes(sent), total: bytes(total) });
    place.querySelector("[role=status]").textContent = total ? words : "";
  }

  ended(request) {
    this.request = null;
    this.querySelector(".file-progress").hidden = true;
    const to = request.getResponseHeader("HX-Redirect");
    if (to) location.assign(to);
    else if (request.status) toast(this.sentence(request.responseText), "error");
    else if (this.isConnected) toast(t("Nothing was sent: it was cancelled, a file could not be read, or the server is away."), "error");
  }

  sentence(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const found = page.querySelector(".errors, .notice") ?? page.body;
    return found.textContent.trim().slice(0, 600);
  }
}

customElements.define("file-drop", FileDrop);
