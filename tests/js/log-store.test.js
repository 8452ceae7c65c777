// The lines that a log view holds.
import "./resolve.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { CAPACITY, LogStore, toMillis } = await import("../../static/js/lib/log-store.js");
const { LogSearch, compile, ranges } = await import("../../static/js/lib/log-search.js");
const { ShownRows } = await import("../../static/js/lib/shown-rows.js");

const NS = 1_764_000_000_000_000_000n;
const stamp = (n) => String(NS + BigInt(n) * 1_000_000n);

test("timestamps may be nanoseconds or RFC 3339", () => {
  assert.equal(toMillis(stamp(5)), 1_764_000_000_005);
  assert.equal(toMillis("2025-11-24T16:00:00.005123456Z"), 1_764_000_000_005);
  assert.equal(Math.round(toMillis(1_764_000_000_005_000_000)), 1_764_000_000_005);
  assert.ok(Number.isNaN(toMillis(null)));
});

test("after a reconnect no line is there twice, and equal lines at one moment are kept", () => {
  const store = new LogStore(["a"]);
  store.addLines([[0, 1, stamp(1), "one"], [0, 1, stamp(2), "two"], [0, 1, stamp(2), "two"]]);
  assert.equal(store.rows.length, 3);
  assert.equal(store.resume(), stamp(2));
  const made = store.addLines([[0, 1, stamp(1), "one"], [0, 1, stamp(2), "two"], [0, 1, stamp(2), "other"], [0, 1, stamp(3), "three"]]);
  assert.deepEqual(made.map((row) => row.text), ["other", "three"]);
});

test("lines of one millisecond are told apart by their nanoseconds", () => {
  const store = new LogStore(["a"]);
  store.addLines([[0, 1, "2025-11-24T16:00:00.005000001Z", "tick"]]);
  store.resume();
  const made = store.addLines([[0, 1, "2025-11-24T16:00:00.005000001Z", "tick"], [0, 1, "2025-11-24T16:00:00.005000009Z", "tick"]]);
  assert.equal(made.length, 1);
});

test("each target has its own memory of the last line", () => {
  const store = new LogStore(["a", "b"]);
  store.addLines([[0, 1, stamp(9), "a9"], [1, 1, stamp(1), "b1"]]);
  assert.equal(store.resume(), stamp(1));
  const made = store.addLines([[0, 1, stamp(5), "a5"], [1, 1, stamp(2), "b2"]]);
  assert.deepEqual(made.map((row) => row.text), ["b2"]);
});

test("a stack trace takes the level of its first line and is counted once", () => {
  const store = new LogStore(["a"]);
  store.addLines([[0, 2, stamp(1), "ERROR boom"], [0, 2, stamp(1), "    at f (x.js:1)"], [0, 1, stamp(2), "fine"]]);
  assert.deepEqual(store.rows.map((row) => row.level), ["error", "error", ""]);
  assert.equal(store.counts.error, 1);
  assert.equal(store.counts.stderr, 2);
});

test("memory is bounded, and what was dropped is counted", () => {
  const store = new LogStore(["a"]);
  store.addLines(Array.from({ length: CAPACITY + 1 }, (_, n) => [0, 1, stamp(n), `INFO line ${n}`]));
  const first = store.trim();
  assert.ok(store.rows.length <= CAPACITY);
  assert.equal(store.rows[0].seq, first);
  assert.equal(store.dropped + store.rows.length, CAPACITY + 1);
  assert.equal(store.counts.info, store.rows.length);
});

test("a search is plain text unless a regular expression is asked for", () => {
  assert.deepEqual(ranges("a.b a.b", compile("A.B", false)), [[0, 3], [4, 7]]);
  assert.deepEqual(ranges("axb", compile("a.b", false)), []);
  assert.deepEqual(ranges("axb", compile("a.b", true)), [[0, 3]]);
  assert.deepEqual(ranges("abc", compile("x*", true)), []);
  assert.throws(() => compile("(", true), SyntaxError);
});

test("a search goes through all rows and round its hits in both directions", async () => {
  const shown = new ShownRows();
  for (let seq = 0; seq < 3000; seq += 1) shown.push({ seq, kind: "line", text: seq % 1000 === 7 ? "needle needle" : "hay" }, 20);
  let slices = 0;
  const search = await new Promise((done) => {
    const one = new LogSearch(shown, () => {
      slices += 1;
      if (one.cursor === 3000) done(one);
    });
    one.set("needle", false);
  });
  assert.ok(slices >= 1);
  assert.deepEqual(search.hits, [7, 1007, 2007]);
  assert.equal(search.total, 6);
  assert.equal(search.go(1, 500), 1007);
  assert.equal(search.go(1, 0), 2007);
  assert.equal(search.go(1, 0), 7);
  assert.equal(search.go(-1, 0), 2007);
  search.clear();
});
