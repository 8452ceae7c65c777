// Spans of time and answers of the stats history.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded, linesOf, moved, spanOf, summary } from "../../static/js/lib/stats-history.js";

const NOW = 1_000_000;

test("a span never ends in the future and is never shorter than a minute", () => {
  assert.deepEqual(bounded(NOW - 100, NOW + 500, NOW), { from: NOW - 600, to: NOW });
  assert.deepEqual(bounded(5000, 5001, NOW), { from: 4971, to: 5031 });
});

test("zooming keeps the middle, moving keeps the length", () => {
  const span = { from: 10_000, to: 20_000 };
  assert.deepEqual(moved(span, 0.5, 0, NOW), { from: 12_500, to: 17_500 });
  assert.deepEqual(moved(span, 2, 0, NOW), { from: 5000, to: 25_000 });
  assert.deepEqual(moved(span, 1, -0.5, NOW), { from: 5000, to: 15_000 });
  assert.deepEqual(moved({ from: NOW - 1000, to: NOW }, 1, 0.5, NOW), { from: NOW - 1000, to: NOW });
});

test("the address says what is shown, and nonsense says nothing", () => {
  assert.deepEqual(spanOf("?range=7d", NOW), { range: "7d" });
  assert.deepEqual(spanOf("?range=live", NOW), { range: "live" });
  assert.deepEqual(spanOf("?from=1000&to=2000", NOW), { span: { from: 1000, to: 2000 } });
  for (const search of ["", "?range=toString", "?from=2000&to=1000", "?from=x&to=y", "?from=-5&to=9"]) assert.equal(spanOf(search, NOW), null, search);
});

test("a host's CPU is shared out, holes stay holes, the limit is a line", () => {
  const answer = { time: [1, 2], memory_limit: 64, metrics: { cpu: { min: [100, null], avg: [200, null], max: [400, null] }, memory: { min: [1, 1], avg: [2, 2], max: [3, 3] } } };
  const { time, lines } = linesOf(answer, 4);
  assert.deepEqual(time, [1, 2]);
  assert.deepEqual(lines.cpu, { min: [25, null], avg: [50, null], max: [100, null] });
  assert.deepEqual(lines.memory.avg, [2, 2]);
  assert.deepEqual(lines.limit.avg, [64, 64]);
  assert.deepEqual(linesOf(answer, 0).lines.cpu.avg, [200, null]);
});

test("a line is summed up by its mean and its highest", () => {
  assert.deepEqual(summary({ avg: [1, null, 3], max: [5, null, 9] }), { avg: 2, max: 9 });
  assert.deepEqual(summary({ avg: [null], max: [null] }), { avg: null, max: null });
  assert.deepEqual(summary(undefined), { avg: null, max: null });
});
