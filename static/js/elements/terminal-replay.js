// <terminal-replay src="/audit/terminals/7/cast/" name="fra-1/web">: plays an asciicast. What it holds came from a
// container: it is drawn, and nothing else: no links, no titles, no clipboard, no answers.
import { Terminal } from "xterm";
import { clock, parseCast, sizeOf } from "dermaga/cast";
import { el, icon, onTheme } from "dermaga/dom";
import { terminalFont, terminalTheme } from "dermaga/terminal-theme";
import { t } from "dermaga/words";

const SPEEDS = [1, 2, 4, 8];

class TerminalReplay extends HTMLElement {
  connectedCallback() {
    this.build();
    this.stopTheme = onTheme(() => this.terminal && (this.terminal.options.theme = terminalTheme()));
    this.load();
  }

  disconnectedCallback() {
    this.pause();
    this.stopTheme();
    this.terminal?.dispose();
    this.replaceChildren();
  }

  build() {
    this.place = el("div", { class: "replay-place" });
    this.button = el("button", { type: "button", class: "button primary", disabled: true, onclick: () => this.toggle() });
    this.slider = el("input", { type: "range", min: "0", max: "0", step: "0.1", value: "0", disabled: true, "aria-label": t("Place in the recording"), oninput: () => this.seek(Number(this.slider.value)) });
    this.time = el("span", { class: "mono dim", role: "timer" });
    this.speed = el("select", { class: "input", "aria-label": t("Speed") }, ...SPEEDS.map((speed) => el("option", { value: speed }, `${speed}×`)));
    this.words = el("span", { role: "status" }, t("Loading"));
    this.replaceChildren(this.place, el("div", { class: "replay-bar" }, this.button, this.slider, this.time, this.speed, this.words));
    this.draw();
  }

  async load() {
    try {
      const answer = await fetch(this.getAttribute("src"), { headers: { Accept: "application/x-asciicast" } });
      if (!answer.ok) throw new Error(`${answer.status}`);
      this.cast = parseCast(await answer.text());
    } catch {
      this.words.textContent = t("The recording cannot be loaded. Load this page again.");
      this.words.classList.add("bad");
      return;
    }
    this.words.textContent = this.cast.events.length ? "" : t("Nothing was shown.");
    this.at = 0;
    this.slider.max = this.cast.length;
    this.slider.disabled = this.button.disabled = !this.cast.events.length;
    this.begin();
    this.draw();
  }

  begin() {
    this.terminal?.dispose();
    this.terminal = new Terminal({
      ...terminalFont(), theme: terminalTheme(), cols: this.cast.columns, rows: this.cast.rows, disableStdin: true, cursorBlink: false, scrollback: 5000,
      linkHandler: { activate: () => {} },
    });
    this.place.replaceChildren();
    this.terminal.open(this.place);
    this.terminal.textarea?.setAttribute("aria-label", t("Recording of %(name)s", { name: this.getAttribute("name") }));
    this.next = 0;
  }

  toggle() {
    if (this.timer) return this.pause();
    if (this.at >= this.cast.length) this.seek(0);
    this.since = performance.now();
    this.timer = setInterval(() => this.tick(), 30);
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.button) this.draw();
  }

  tick() {
    const now = performance.now();
    this.show(Math.min(this.cast.length, this.at + ((now - this.since) / 1000) * Number(this.speed.value)));
    this.since = now;
    if (this.at >= this.cast.length) this.pause();
  }

  seek(at) {
    if (at < this.at) this.begin();
    this.show(at);
  }

  // All events until `at`, in one go.
  show(at) {
    const { events } = this.cast;
    let text = "";
    for (; this.next < events.length && events[this.next][0] <= at; this.next += 1) {
      const [, kind, said] = events[this.next];
      if (kind === "o") text += said;
      const size = kind === "r" && sizeOf(said);
      if (size) {
        this.terminal.write(text);
        text = "";
        this.terminal.resize(...size);
      }
    }
    if (text) this.terminal.write(text);
    this.at = at;
    this.slider.value = at;
    this.draw();
  }

  draw() {
    const playing = Boolean(this.timer);
    if (this.playing !== playing) {
      this.playing = playing;
      this.button.replaceChildren(icon(playing ? "player-pause" : "player-play"), playing ? t("Pause") : t("Play"));
    }
    this.time.textContent = this.cast ? `${clock(this.at)} / ${clock(this.cast.length)}` : "";
    this.slider.setAttribute("aria-valuetext", this.time.textContent);
  }
}

customElements.define("terminal-replay", TerminalReplay);
