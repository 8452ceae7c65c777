// Samples as series for charts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SPAN_SECONDS, StatsSeries, bytes, percent } from "../../static/js/lib/stats-series.js";

const sample = (second, counter, cpu = 5) => [0, second * 1000, cpu, 1000, 2000, counter, counter, counter, counter, 3];

test("counters become rates a second, from the second sample on", () => {
  const series = new StatsSeries();
  series.add(sample(10, 1000));
  series.add(sample(12, 3000));
  assert.deepEqual(series.columns[4], [null, 1000]);
  assert.deepEqual(series.columns[0], [10, 12]);
});

test("a counter that starts again gives no negative rate", () => {
  const series = new StatsSeries();
  series.add(sample(10, 5000));
  series.add(sample(11, 100));
  assert.equal(series.latest(4), null);
});

test("a long silence is a hole, and old or repeated samples change nothing", () => {
  const series = new StatsSeries();
  series.add(sample(10, 1));
  series.add(sample(60, 2));
  series.add(sample(60, 9));
  series.add(sample(30, 9));
  assert.deepEqual(series.columns[1], [5, null, 5]);
});

test("samples older than the span leave", () => {
  const series = new StatsSeries();
  for (let second = 0; second <= SPAN_SECONDS + 100; second += 10) series.add(sample(second, second));
  assert.equal(series.columns[0][0], 100);
  assert.ok(series.columns.every((column) => column.length === series.columns[0].length));
});

test("sizes and shares read as on the pages", () => {
  assert.equal(bytes(1_288_490_188), "1.2 GiB");
  assert.equal(bytes(100_663_296), "96 MiB");
  assert.equal(bytes(null), "-");
  assert.equal(percent(141.2), "141 %");
  assert.equal(percent(0.42), "0.4 %");
});
