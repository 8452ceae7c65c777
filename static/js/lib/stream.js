// A websocket that comes back: waits double from half a second to ten, and a tab that wakes up tries at once.
import { hasLeft, onLeave } from "dermaga/leaving";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const NOT_LOGGED_IN = 4401;
const FINAL = new Set([4400, 4403, 4404, 4429]);

/** The address of a socket on this page's server. */
export function socketAddress(path) {
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

/** Closes a socket; one that is still connecting once it is open: the browser would call it an error. */
function shut(socket) {
  if (socket.readyState === WebSocket.CONNECTING) socket.addEventListener("open", () => socket.close());
  else socket.close();
}

export class Stream {
  /** `path` is a string or a function asked before each attempt. `handlers`: message(object), binary(ArrayBuffer),
      open(again), lost(code), refused(code, reason): the server will not have us, no further attempt. */
  constructor(path, handlers) {
    this.path = path;
    this.handlers = handlers;
    this.wait = FIRST_WAIT_MS;
    this.opened = 0;
    this.wake = () => document.hidden || this.socket || this.retryNow();
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.wake);
    this.stay = onLeave(() => this.end());
    this.connect();
  }

  connect() {
    if (this.ended || hasLeft()) return;
    const path = typeof this.path === "function" ? this.path() : this.path;
    const socket = new WebSocket(socketAddress(path));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("open", () => {
      if (this.ended) return;
      this.wait = FIRST_WAIT_MS;
      this.opened += 1;
      this.handlers.open?.(this.opened > 1);
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.ended) return;
      if (typeof data === "string") this.handlers.message(JSON.parse(data));
      else this.handlers.binary(data);
    });
    socket.addEventListener("close", (event) => this.closed(socket, event));
  }

  closed(socket, event) {
    if (this.ended || socket !== this.socket) return;
    this.socket = null;
    if (event.code === NOT_LOGGED_IN) {
      location.reload(); // the guard sends the page to the login, and back here after it
      return;
    }
    if (FINAL.has(event.code)) {
      this.end();
      this.handlers.refused?.(event.code, event.reason);
      return;
    }
    this.handlers.lost?.(event.code);
    this.timer = setTimeout(() => this.connect(), this.wait * (0.8 + Math.random() * 0.4));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  retryNow() {
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    if (!this.ended && !this.socket) this.connect();
  }

  /** Whether it went. */
  send(message) {
    const open = this.socket?.readyState === WebSocket.OPEN;
    if (open) this.socket.send(JSON.stringify(message));
    return open;
  }

  end() {
    this.ended = true;
    this.stay();
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.wake);
    if (this.socket) shut(this.socket);
    this.socket = null;
  }
}
