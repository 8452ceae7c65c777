// The heights of a scrolled list of many rows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ShownRows } from "../../static/js/lib/shown-rows.js";

function filled(count) {
  const rows = new ShownRows();
  for (let seq = 0; seq < count; seq += 1) rows.push({ seq }, 20);
  return rows;
}

test("rows are found by place, position and number", () => {
  const rows = filled(5000);
  assert.equal(rows.at(4321).seq, 4321);
  assert.equal(rows.topOf(4321), 4321 * 20);
  assert.equal(rows.indexAt(4321 * 20 + 19), 4321);
  assert.equal(rows.indexOfSeq(4321), 4321);
  assert.equal(rows.indexAt(1e9), 4999);
  assert.equal(rows.height, 100_000);
});

test("a changed height moves what lies below", () => {
  const rows = filled(2000);
  assert.equal(rows.setHeight(700, 60), 40);
  assert.equal(rows.topOf(700), 14_000);
  assert.equal(rows.topOf(1999), 1999 * 20 + 40);
  assert.equal(rows.indexAt(14_059), 700);
});

test("dropping old rows, also in the middle of a block, keeps the rest findable", () => {
  const rows = filled(3000);
  assert.equal(rows.dropBefore(700), 14_000);
  assert.equal(rows.length, 2300);
  for (const index of [0, 1, 323, 324, 325, 836, 2299]) {
    assert.equal(rows.at(index).seq, 700 + index);
    assert.equal(rows.topOf(index), index * 20);
    assert.equal(rows.indexOfSeq(700 + index), index);
  }
  rows.dropBefore(10_000);
  assert.equal(rows.length, 0);
  assert.equal(rows.height, 0);
});
