// The part of a merged log that a view holds: any order of arrival gives the one order of time, without a hole.
import "./resolve.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { LIVE_ROOM, LogStore } = await import("../../static/js/lib/log-store.js");
const { LogReader } = await import("../../static/js/lib/log-reader.js");
const { noteRow, stampOf } = await import("../../static/js/lib/log-line.js");

const T0 = Date.parse("2026-11-24T06:38:36Z");
const stamp = (ms, ns = 0) => `${new Date(T0 + ms).toISOString().slice(0, 23)}${String(ns).padStart(6, "0")}Z`;
const height = () => 20;
const texts = (store) => [...store.rows].map((row) => row.text);

function filled(...logs) {
  const store = new LogStore(height);
  logs.forEach(([whole, lines], place) => {
    store.take(lines.map(([ms, text, stream = 1]) => [place, stream, stamp(ms), text]));
    store.came(place, whole);
  });
  store.settle();
  return store;
}

test("a timestamp keeps its nanoseconds", () => {
  const store = filled([true, []]);
  const [row] = store.take([[0, 1, stamp(5, 123456), "x"]]);
  assert.equal(stampOf(row), stamp(5, 123456));
});

test("lines of several logs are in one order of time, to the nanosecond", () => {
  const store = new LogStore(height);
  store.take([[1, 1, stamp(1, 5), "b"], [1, 1, stamp(9), "d"]]);
  store.take([[0, 1, stamp(1, 4), "a"], [0, 1, stamp(1, 6), "c"]]);
  store.came(0, true);
  store.came(1, true);
  store.settle();
  assert.deepEqual(texts(store), ["a", "b", "c", "d"]);
});

test("the engine's order holds within a log, and a stack trace stays together", () => {
  const store = filled(
    [true, [[5, "out"], [3, "late", 2], [6, "ERROR boom"], [8, "  at f (x.js:1)"]]],
    [true, [[4, "other"], [7, "between"]]],
  );
  assert.deepEqual(texts(store), ["other", "out", "late", "ERROR boom", "  at f (x.js:1)", "between"]);
  assert.deepEqual([...store.rows].map((row) => row.level), [0, 0, 0, 1, 1, 0]);
  assert.equal(store.counts.error, 1);
  assert.equal(store.counts.stderr, 1);
});

test("a log that reaches back less far holds the others back", () => {
  const store = filled([false, [[100, "busy 1"], [101, "busy 2"]]], [true, [[1, "old"], [102, "new"]]]);
  assert.deepEqual(texts(store), ["busy 1", "busy 2", "new"]);
  store.addOlder(store.log(0), [[1, stamp(50), "busy 0"]], false);
  store.release();
  assert.deepEqual(texts(store), ["old", "busy 0", "busy 1", "busy 2", "new"]);
});

test("a log that comes late puts back what is older than its first line", () => {
  const store = filled([true, [[1, "old"], [100, "new"]]]);
  store.take([[1, 1, stamp(50), "late 1"], [1, 1, stamp(60), "late 2"]]);
  store.came(1, false);
  store.settle();
  assert.deepEqual(texts(store), ["late 1", "late 2", "new"]);
  assert.deepEqual(store.log(0).older.map((row) => row.text), ["old"]);
});

test("what is dropped is counted, and is a place to read on from", () => {
  const lines = Array.from({ length: LIVE_ROOM + 10 }, (_, n) => [n, `INFO line ${n}`]);
  const store = filled([true, lines.slice(0, 10)]);
  store.show(store.take(lines.slice(10).map(([ms, text]) => [0, 1, stamp(ms), text])));
  store.trim();
  assert.ok(store.rows.length <= LIVE_ROOM);
  assert.equal(store.dropped + store.rows.length, lines.length);
  assert.equal(store.counts.info, store.rows.length);
  const [first, have] = store.frontOf(store.log(0));
  assert.equal(first, stamp(store.dropped));
  assert.equal(have, 1);
});

/** A server in memory: asks like LogPages, over whole logs [[ms, text], ...]. */
function pagesOf(logs) {
  const asked = [];
  return {
    asked,
    forget() {},
    async ask(question) {
      asked.push(question);
      const lines = logs[question.target].map(([ms, text]) => [1, stamp(ms), text]);
      const [at, have] = question.before ?? question.after;
      const own = lines.flatMap(([, one], n) => (one === at ? [n] : []));
      const first = lines.findIndex(([, one]) => one >= at);
      if (question.before) {
        const end = have ? own.at(-have) : first < 0 ? lines.length : first;
        return { lines: lines.slice(Math.max(0, end - question.count), end), more: end > question.count };
      }
      const begin = have ? own[have - 1] + 1 : first < 0 ? lines.length : first;
      return { lines: lines.slice(begin, begin + question.count), more: begin + question.count < lines.length, found: true };
    },
  };
}

const A = Array.from({ length: 3000 }, (_, n) => [n - (n % 3), `a ${n}`]); // three lines at a time
const B = Array.from({ length: 900 }, (_, n) => [n * 4 + 1, `b ${n}`]);
const merged = [...A, ...B].map((one, n) => [...one, n]).sort((x, y) => x[0] - y[0] || x[2] - y[2]).map(([, text]) => text);

test("scrolling back from the end shows every line once, in order", async () => {
  const store = filled([false, A.slice(-100)], [false, B.slice(-100)]);
  const reader = new LogReader(store, pagesOf([A, B]), (place) => place, assert.fail);
  for (let n = 0; n < 100 && reader.hasOlder; n += 1) await reader.older();
  assert.deepEqual(texts(store), merged);
});

test("a jump to a time shows what is around it, and leads to both ends", async () => {
  const store = filled([false, A.slice(-10)], [false, B.slice(-10)]);
  const reader = new LogReader(store, pagesOf([A, B]), (place) => place, assert.fail);
  assert.ok(await reader.around(stamp(1500), [0, 1]));
  assert.ok(texts(store).includes("a 1500") && texts(store).includes("b 374"));
  const from = merged.indexOf(texts(store)[0]);
  assert.deepEqual(texts(store), merged.slice(from, from + store.rows.length));
  for (let n = 0; n < 100 && (reader.hasOlder || reader.hasNewer); n += 1) {
    await reader.older();
    await reader.newer();
  }
  assert.deepEqual(texts(store), merged);
  assert.deepEqual(store.backOf(store.log(0)), [stamp(2997), 3]);
});

test("lines that were left out are read and put where they belong", async () => {
  const store = filled([true, [...A.slice(0, 50), ...A.slice(200, 300)]], [true, B.slice(0, 20)]);
  const reader = new LogReader(store, pagesOf([A, B]), (place) => place, assert.fail);
  const before = [...store.rows].find((row) => row.text === "a 49");
  const note = noteRow("skipped", 0, "150 lines skipped", { behind: before });
  store.rows.insert([note], height);
  const { rows } = await reader.fill(0, before, "", 150);
  store.rows.remove(note);
  store.show(rows, { before: true, behind: before });
  assert.deepEqual(texts(store).filter((text) => text.startsWith("a")), A.slice(0, 300).map(([, text]) => text));
});

test("a log that cannot be read is said, and the others go on", async () => {
  const store = filled([false, A.slice(-5)], [false, B.slice(-5)]);
  const pages = pagesOf([A, B]);
  const failed = [];
  const ask = pages.ask;
  pages.ask = (question) => (question.target === 0 ? Promise.reject(new Error("unreachable")) : ask(question));
  const reader = new LogReader(store, pages, (place) => place, (place, words) => failed.push([place, words]));
  await reader.older();
  assert.deepEqual(failed, [[0, "unreachable"]]);
  assert.ok(!reader.store.log(0).whole);
});
