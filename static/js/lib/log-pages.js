// Asks for parts of logs over /ws/logs/pages (docs/sockets.md); the socket opens with the first question.
import { socketAddress } from "dermaga/stream";
import { t } from "dermaga/words";

const REST_MS = 60_000; // an idle socket is closed

export class LogPages {
  constructor() {
    this.asked = new Map();
    this.next = 1;
  }

  /** A part: {lines: [[stream, timestamp, text], ...], more, found}. Rejects with an Error that says why not. */
  ask(question) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.send(JSON.stringify({ id, ...question }));
    });
  }

  send(text) {
    clearTimeout(this.rest);
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(text);
      return;
    }
    this.waiting ??= [];
    this.waiting.push(text);
    if (this.socket) return;
    this.socket = new WebSocket(socketAddress("/ws/logs/pages"));
    this.socket.addEventListener("open", () => this.waiting.splice(0).forEach((one) => this.socket.send(one)));
    this.socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => this.closed(event));
  }

  receive(message) {
    const question = this.asked.get(message.id);
    this.asked.delete(message.id);
    if (message.t === "page") question?.resolve(message);
    else question?.reject(new Error(message.reason || t("This container is gone.")));
    if (!this.asked.size) this.rest = setTimeout(() => this.end(), REST_MS);
  }

  closed(event) {
    this.socket = null;
    this.waiting = [];
    const words = event.reason || t("Connection lost, trying again");
    for (const { reject } of this.asked.values()) reject(new Error(words));
    this.asked.clear();
  }

  /** What was asked is not wanted any more. */
  forget() {
    this.asked.clear();
  }

  end() {
    clearTimeout(this.rest);
    this.asked.clear();
    this.socket?.close();
    this.socket = null;
  }
}
