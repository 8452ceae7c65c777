// The rows of a view: their order, and the heights of many.
import "./resolve.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { LogRows } = await import("../../static/js/lib/log-rows.js");
const row = (ms, text = "") => ({ ms, ns: 0, head: null, text });
const height = () => 20;

function filled(count) {
  const rows = new LogRows();
  rows.insert(Array.from({ length: count }, (_, n) => row(n)), height);
  return rows;
}

test("rows are found by place, position and identity", () => {
  const rows = filled(5000);
  assert.equal(rows.at(4321).ms, 4321);
  assert.equal(rows.topOf(4321), 4321 * 20);
  assert.equal(rows.indexAt(4321 * 20 + 19), 4321);
  assert.equal(rows.indexOf(rows.at(4321)), 4321);
  assert.equal(rows.indexOf(row(4321)), -1);
  assert.equal(rows.indexAt(1e9), 4999);
  assert.equal(rows.height, 100_000);
});

test("any order of arrival is the same order of time, and equal times stay as they came", () => {
  const rows = new LogRows();
  const times = Array.from({ length: 4000 }, (_, n) => (n * 7919) % 1500);
  for (let n = 0; n < times.length; n += 40) {
    rows.insert(times.slice(n, n + 40).map((ms, i) => row(ms, n + i)).sort((a, b) => a.ms - b.ms || a.text - b.text), height);
  }
  const wanted = times.map((ms, n) => [ms, n]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual([...rows].map((one) => [one.ms, one.text]), wanted);
  assert.equal(rows.height, 80_000);
  for (const index of [0, 511, 512, 1999, 3999]) assert.equal(rows.indexOf(rows.at(index)), index);
});

test("rows put in front keep their order", () => {
  const rows = filled(1000);
  rows.insert([row(-2, "x"), row(-1, "y"), row(500, "z")], height, { before: true });
  assert.deepEqual([rows.at(0).text, rows.at(1).text], ["x", "y"]);
  assert.equal(rows.at(502).text, "z");
});

test("rows are never put in front of the one they are behind", () => {
  const rows = new LogRows();
  const [a, b] = [row(5, "a"), row(5, "b")];
  rows.insert([a, b], height);
  rows.insert([row(5, "1"), row(5, "2")], height, { before: true, behind: a });
  assert.deepEqual([...rows].map((one) => one.text), ["a", "1", "2", "b"]);
});

test("a changed height moves what lies below, and hidden rows cover nothing", () => {
  const rows = filled(2000);
  assert.equal(rows.setHeight(700, 60), 40);
  assert.equal(rows.topOf(700), 14_000);
  assert.equal(rows.topOf(1999), 1999 * 20 + 40);
  assert.equal(rows.indexAt(14_059), 700);
  rows.measureAll((one) => (one.ms % 100 ? 0 : 20));
  assert.equal(rows.height, 400);
  assert.deepEqual(rows.covering(25, 90).rows.map(([index]) => index), [100, 200, 300, 400]);
  assert.equal(rows.covering(25, 90).top, 20);
});

test("rows are dropped at both ends and taken out", () => {
  const rows = filled(3000);
  const gone = rows.dropFront((one, n) => n >= 700);
  assert.deepEqual([gone.rows.length, gone.height, rows.first.ms], [700, 14_000, 700]);
  assert.deepEqual(rows.dropBack(600).map((one) => one.ms), Array.from({ length: 600 }, (_, n) => 2400 + n));
  assert.equal(rows.length, 1700);
  assert.equal(rows.height, 34_000);
  assert.equal(rows.remove(rows.at(3)), 20);
  assert.equal(rows.at(3).ms, 704);
  assert.deepEqual([...rows.from(2)].slice(0, 2).map(([one]) => one.ms), [702, 704]);
  assert.deepEqual([...rows.from(1, -1)].map(([one]) => one.ms), [701, 700]);
  rows.dropFront(() => false);
  assert.deepEqual([rows.length, rows.height], [0, 0]);
});
