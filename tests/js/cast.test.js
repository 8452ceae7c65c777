// Asciicasts are read as they are, whatever is in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, parseCast, sizeOf } from "../../static/js/lib/cast.js";

const HEAD = '{"version":2,"width":100,"height":30}';

test("events keep their order, and long silence is shortened", () => {
  const { columns, rows, events, length } = parseCast(`${HEAD}\n[0.5,"o","a"]\n[60,"o","b"]\n[60.25,"r","80x24"]\n`);
  assert.deepEqual([columns, rows, length], [100, 30, 2.75]);
  assert.deepEqual(events, [[0.5, "o", "a"], [2.5, "o", "b"], [2.75, "r", "80x24"]]);
});

test("lines that are none, and times that go back, break nothing", () => {
  const { events } = parseCast(`${HEAD}\nnull\n{"a":1}\n["x","o","no"]\n[1,"o",5]\n[9,"o","late"]\n[3,"o","back"]\n[10,"o","cut o`);
  assert.deepEqual(events.map((event) => event[2]), ["late", "back"]);
  assert.ok(events[1][0] >= events[0][0]);
  assert.deepEqual([parseCast('{"width":-1,"height":1e9}').columns, parseCast("{}").rows], [80, 24]);
});

test("sizes and clocks", () => {
  assert.deepEqual(sizeOf("80x24"), [80, 24]);
  assert.equal(sizeOf("80x24;rm"), null);
  assert.deepEqual([clock(0), clock(62.9), clock(3725)], ["0:00", "1:02", "1:02:05"]);
});
