// <job-progress job="12">: a job as it runs: state, share done, its parts (layers, targets) and its log.
// Reads /ws/jobs/{id} (docs/sockets.md). Fires "dermaga:job-ended" (bubbling) when the job is over.
import { el } from "dermaga/dom";
import { bytes } from "dermaga/stats-series";
import { Stream } from "dermaga/stream";
import { t } from "dermaga/words";

const OPEN = new Set(["queued", "running"]);
const SHAPES = { done: "ok", failed: "bad", interrupted: "warn", cancelled: "off", queued: "off", running: "ok" };
const AT_END_PX = 30;

class JobProgress extends HTMLElement {
  connectedCallback() {
    this.build();
    this.stream = new Stream(`/ws/jobs/${this.getAttribute("job")}`, {
      message: (message) => message.t === "job" && this.show(message),
      open: () => this.log.replaceChildren(), // the server sends the log from its start
      lost: () => (this.words.textContent = t("Connection lost, trying again")),
      refused: () => (this.words.textContent = t("This job is gone, or you may not see it.")),
    });
  }

  disconnectedCallback() {
    this.stream.end();
    this.replaceChildren();
  }

  build() {
    this.state = el("span", { class: "state state-off", role: "status" });
    this.percent = el("span", { class: "num push" });
    this.bar = el("progress", { max: "1", "aria-label": t("Progress") });
    this.words = el("p", { class: "muted break" });
    this.error = el("div", { class: "notice bad break", role: "alert", hidden: true });
    this.parts = el("div", { class: "job-parts" });
    this.log = el("pre", { class: "job-log", role: "log", tabindex: "0", "aria-label": t("Log of the job") });
    const head = el("div", { class: "row" }, this.state, this.percent);
    this.replaceChildren(el("div", { class: "stack" }, head, this.bar, this.words, this.error, this.parts, this.log));
  }

  show(job) {
    const isOpen = OPEN.has(job.state);
    this.state.className = `state state-${SHAPES[job.state] ?? "off"}`;
    if (this.state.textContent !== t(job.state)) this.state.textContent = t(job.state);
    const share = job.state === "done" ? 1 : (job.progress ?? 0);
    if (isOpen && !share) this.bar.removeAttribute("value");
    else this.bar.value = share;
    this.bar.classList.toggle("bad", job.state === "failed");
    this.percent.textContent = isOpen && !share ? "" : `${job.percent ?? Math.floor(share * 100)} %`;
    this.words.textContent = job.message ?? "";
    this.error.hidden = !job.error;
    this.error.textContent = job.error ?? "";
    this.showParts(job.parts ?? job.layers ?? []);
    this.addLines(job.log ?? []);
    if (this.wasOpen && !isOpen) this.dispatchEvent(new CustomEvent("dermaga:job-ended", { bubbles: true, detail: job }));
    this.wasOpen = isOpen;
  }

  showParts(parts) {
    const rows = new Map([...this.parts.children].map((row) => [row.dataset.part, row]));
    for (const part of parts) {
      let row = rows.get(String(part.id));
      if (!row) {
        const bar = el("progress", { max: "1", "aria-label": t("Progress of %(name)s", { name: part.id }) });
        row = el("div", { class: "job-part", "data-part": part.id }, el("span", { class: "mono clip", title: part.id }, part.id), bar, el("span", { class: "muted" }));
        this.parts.append(row);
      }
      rows.delete(String(part.id));
      this.fillPart(row, part);
    }
    for (const row of rows.values()) row.remove();
  }

  fillPart(row, { state, current, total }) {
    const [, bar, words] = row.children;
    const over = !total || current >= total;
    bar.value = total ? Math.min(1, current / total) : ["done", "Pull complete", "Already exists"].includes(state) ? 1 : 0;
    const amount = total > 1024 && !over ? ` ${bytes(current)} / ${bytes(total)}` : "";
    const text = `${t(state ?? "")}${amount}`;
    if (words.textContent !== text) words.textContent = text;
  }

  addLines(lines) {
    if (!lines.length) return;
    const atEnd = this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - AT_END_PX;
    this.log.append(lines.map((line) => `${line}\n`).join(""));
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }
}

customElements.define("job-progress", JobProgress);
