// Sends bytes over a websocket without filling its buffer: a pasted megabyte leaves in pieces, in order.

const PIECE = 16 * 1024;
const BUFFERED = 256 * 1024;
const LOOK_AGAIN_MS = 10;

export class BytePump {
  constructor(socket) {
    this.socket = socket;
    this.queue = [];
    this.timer = null;
  }

  send(bytes) {
    for (let at = 0; at < bytes.length; at += PIECE) this.queue.push(bytes.subarray(at, at + PIECE));
    this.drain();
  }

  drain() {
    clearTimeout(this.timer);
    this.timer = null;
    while (this.queue.length && this.socket.readyState === WebSocket.OPEN) {
      if (this.socket.bufferedAmount > BUFFERED) {
        // a websocket tells nobody when its buffer has emptied: look again
        this.timer = setTimeout(() => this.drain(), LOOK_AGAIN_MS);
        return;
      }
      this.socket.send(this.queue.shift());
    }
  }

  end() {
    clearTimeout(this.timer);
    this.queue = [];
  }
}
