// One socket a page that hears which rows changed; live regions subscribe to the kinds and hosts they show, and ask for
// their parts here: the server makes a part once for all who look at the same.
import { el } from "dermaga/dom";
import { Stream } from "dermaga/stream";
import { t } from "dermaga/words";

const QUIET_MS = 1500; // a blink of the network is nobody's business
const ANSWER_MS = 15_000; // to twice as long; then the part is asked for as a page would be
const subscribers = new Set();
const asked = new Map(); // number -> what to call with the part, or with null
let lastNumber = 0;
let stream = null;
let bar = null;
let barTimer = null;

function showLost() {
  if (barTimer || bar) return;
  barTimer = setTimeout(() => {
    bar = el("div", { class: "lost-bar", role: "status" }, t("Connection lost, trying again"));
    document.body.append(bar);
  }, QUIET_MS);
}

function hideLost() {
  clearTimeout(barTimer);
  barTimer = null;
  bar?.remove();
  bar = null;
}

export const GONE = Symbol("gone");
const NOT_FOUND = 404;

/** Whether a changed `item` is one that `wanted` ({kinds, hosts, ids}, each a Set or null for all) asks for. */
export function concerns(wanted, item) {
  if (wanted.kinds && !wanted.kinds.has(item.kind)) return false;
  if (wanted.hosts && item.host && !wanted.hosts.has(item.host)) return false;
  if (!wanted.ids || !item.ids?.length || item.kind === "host") return true;
  return item.ids.some((id) => wanted.ids.has(id));
}

function answered(number, html) {
  const { resolve, timer } = asked.get(number) ?? {};
  asked.delete(number);
  clearTimeout(timer);
  resolve?.(html);
}

async function takePart(data) {
  const number = new DataView(data).getUint32(0);
  if (!asked.has(number)) return;
  const packed = new Blob([new Uint8Array(data, 4)]).stream();
  answered(number, await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text());
}

function answerAll() {
  for (const number of [...asked.keys()]) answered(number, null);
}

function lost() {
  answerAll();
  showLost();
}

/** The live part at `url` for the element `target`, as text; GONE when what it shows is gone; null where the socket has
    none for another reason: a request says which. */
export function askPart(url, target) {
  const number = ++lastNumber;
  const { pathname, search } = new URL(url, location.href);
  if (!globalThis.DecompressionStream || !stream?.send({ t: "show", id: number, url: pathname + search, target })) return null;
  return new Promise((resolve) => {
    asked.set(number, { resolve, timer: setTimeout(() => answered(number, null), ANSWER_MS * (1 + Math.random())) });
  });
}

function receive(message) {
  if (message.t === "part") answered(message.id, message.status === NOT_FOUND ? GONE : null);
  const items = message.t === "changes" ? message.items : message.t === "changed" ? [message] : [];
  if (!items.length) return;
  for (const { wanted, listener } of subscribers) {
    const mine = items.filter((item) => concerns(wanted, item));
    if (mine.length) listener(mine);
  }
}

function start() {
  stream = new Stream("/ws/changes", {
    message: receive,
    binary: takePart,
    lost,
    refused: hideLost,
    open() {
      hideLost();
      // what happened since the page was rendered, or since the connection broke, is unknown: ask for all
      for (const { listener } of subscribers) listener([]);
    },
  });
}

/** Calls `listener(items)` for changes that concern `wanted`, and with no items whenever the connection is (again) there; returns the way out. */
export function subscribe(wanted, listener) {
  const entry = { wanted, listener };
  subscribers.add(entry);
  if (!stream) start();
  return () => {
    subscribers.delete(entry);
    if (subscribers.size || !stream) return;
    stream.end();
    stream = null;
    answerAll();
    hideLost();
  };
}
