// One socket a page that hears which rows changed; live regions subscribe to the kinds and hosts they show.
import { el } from "dermaga/dom";
import { Stream } from "dermaga/stream";
import { t } from "dermaga/words";

const QUIET_MS = 1500; // a blink of the network is nobody's business
const subscribers = new Set();
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

/** Whether a changed `item` is one that `wanted` ({kinds, hosts, ids}, each a Set or null for all) asks for. */
export function concerns(wanted, item) {
  if (wanted.kinds && !wanted.kinds.has(item.kind)) return false;
  if (wanted.hosts && item.host && !wanted.hosts.has(item.host)) return false;
  if (!wanted.ids || !item.ids?.length || item.kind === "host") return true;
  return item.ids.some((id) => wanted.ids.has(id));
}

function receive(message) {
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
    lost: showLost,
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
    hideLost();
  };
}
