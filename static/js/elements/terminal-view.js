// <terminal-view target="fra-1/web" shells="/bin/bash /bin/sh" attach>: a shell or a command in a container, or its
// own input and output. Talks over /ws/terminal (docs/sockets.md): bytes both ways, resize and exit as JSON.
import { Terminal } from "xterm";
import { FitAddon } from "xterm-fit";
import { BytePump } from "dermaga/byte-pump";
import { el, icon, onTheme } from "dermaga/dom";
import { socketAddress } from "dermaga/stream";
import { terminalFont, terminalTheme } from "dermaga/terminal-theme";
import { t } from "dermaga/words";

const NORMAL_CLOSE = new Set([1000, 1001, 1005]);

class TerminalView extends HTMLElement {
  connectedCallback() {
    this.build();
    this.stopTheme = onTheme(() => this.terminal && (this.terminal.options.theme = terminalTheme()));
    this.resized = new ResizeObserver(() => this.fit?.fit());
    this.resized.observe(this.place);
    if (this.hasAttribute("start")) this.start();
  }

  disconnectedCallback() {
    this.stop();
    this.stopTheme();
    this.resized.disconnect();
    this.replaceChildren();
  }

  build() {
    this.form = this.startForm();
    this.place = el("div", { class: "terminal-place" });
    this.words = el("span", { role: "status" });
    this.again = el("button", { type: "button", class: "button", hidden: true, onclick: () => this.start() }, icon("reload"), t("Start again"));
    this.halt = el("button", { type: "button", class: "button", hidden: true, onclick: () => this.stop(t("Closed.")) }, t("Disconnect"));
    this.recorded = el("span", { class: "state state-warn", hidden: true, title: t("What this terminal shows is kept, and may be replayed by who reads the audit.") }, t("recorded"));
    this.status = el("div", { class: "terminal-status" }, this.recorded, this.words, el("span", { class: "row push" }, this.again, this.halt));
    this.replaceChildren(this.form, this.place, this.status);
  }

  startForm() {
    const shells = (this.getAttribute("shells") || "/bin/sh /bin/bash /bin/ash").split(/\s+/);
    const options = el("datalist", { id: "terminal-shells" }, ...shells.map((shell) => el("option", { value: shell })));
    this.command = el("input", { class: "input mono", name: "cmd", value: this.getAttribute("cmd") || shells[0], list: "terminal-shells", autocomplete: "off", spellcheck: "false", required: true });
    this.user = el("input", { class: "input mono", name: "user", value: this.getAttribute("user") || "", placeholder: t("as the image says"), autocomplete: "off", spellcheck: "false" });
    this.mode = el("select", { class: "input", name: "mode" }, el("option", { value: "exec" }, t("New process")), el("option", { value: "attach" }, t("Attach to the container")));
    this.mode.addEventListener("change", () => {
      this.command.disabled = this.user.disabled = this.mode.value === "attach";
    });
    const field = (label, control) => el("label", { class: "field" }, el("span", {}, label), control);
    const form = el(
      "form", { class: "terminal-form" },
      field(t("Mode"), this.mode), field(t("Shell or command"), this.command), field(t("User"), this.user), options,
      el("button", { class: "button primary" }, icon("player-play"), t("Start")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    return form;
  }

  address() {
    const query = new URLSearchParams({ target: this.getAttribute("target"), mode: this.mode.value });
    if (this.mode.value === "exec") {
      query.set("cmd", this.command.value);
      if (this.user.value) query.set("user", this.user.value);
    }
    query.set("cols", this.terminal.cols);
    query.set("rows", this.terminal.rows);
    return socketAddress(`/ws/terminal?${query}`);
  }

  start() {
    this.stop();
    this.openTerminal();
    const socket = new WebSocket(this.address());
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.pump = new BytePump(socket);
    this.say(t("Connecting"));
    socket.addEventListener("open", () => {
      this.say("");
      this.resize(this.terminal);
      this.pump.drain();
      this.terminal.focus();
    });
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("close", (event) => this.closed(socket, event));
    this.running(true);
  }

  openTerminal() {
    this.terminal = new Terminal({
      ...terminalFont(), theme: terminalTheme(),
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches, scrollback: 5000, screenReaderMode: false,
    });
    this.fit = new FitAddon();
    this.terminal.loadAddon(this.fit);
    this.place.replaceChildren();
    this.terminal.open(this.place);
    this.terminal.textarea?.setAttribute("aria-label", t("Terminal of %(name)s", { name: this.getAttribute("target") }));
    this.fit.fit();
    const encoder = new TextEncoder();
    this.terminal.onData((text) => this.pump?.send(encoder.encode(text)));
    this.terminal.onBinary((text) => this.pump?.send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    this.terminal.onResize((size) => this.resize(size));
  }

  resize({ cols, rows }) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ t: "resize", cols, rows }));
  }

  receive(data) {
    if (data instanceof ArrayBuffer) {
      this.terminal.write(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.t === "ready") this.recorded.hidden = !message.recorded;
    else if (message.t === "exit") this.ended(t("The process ended with exit code %(code)s.", { code: message.code ?? "?" }));
    else if (message.t === "error") this.ended(message.reason, true);
  }

  closed(socket, { code, reason }) {
    if (socket !== this.socket) return;
    this.socket = null;
    if (!this.over) {
      const words = { 4401: t("You are logged out. Load this page again."), 4403: t("Your role does not allow this."), 4404: t("This container is gone.") };
      const lost = NORMAL_CLOSE.has(code) ? t("The process ended.") : t("The connection was lost; the process was ended.");
      this.ended(reason || words[code] || lost, !NORMAL_CLOSE.has(code));
    }
  }

  ended(words, grave = false) {
    this.over = true;
    this.say(words, grave);
    this.running(false);
    if (this.terminal) this.terminal.options.disableStdin = true;
  }

  running(on) {
    this.over = !on;
    this.form.hidden = on;
    this.halt.hidden = !on;
    this.again.hidden = on;
    this.classList.toggle("is-running", on);
    this.fit?.fit();
  }

  say(words, grave = false) {
    this.words.textContent = words ?? "";
    this.words.classList.toggle("bad", grave);
  }

  stop(words) {
    this.pump?.end();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    if (words) this.ended(words);
    else this.terminal?.dispose();
  }
}

customElements.define("terminal-view", TerminalView);
