// The colours of hosts and containers in a merged log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HUES, LogHues, hueOf } from "../../static/js/lib/log-hues.js";

test("a name has the same colour in every view, in whatever order names come", () => {
  const wanting = new Map(); // one name for each hue
  for (let n = 0; wanting.size < HUES; n += 1) wanting.set(hueOf(`fra-1/web-${n}`), `fra-1/web-${n}`);
  const names = [...wanting.values()];
  const [one, other] = [new LogHues(), new LogHues()];
  const forth = names.map((name) => one.of(name));
  const back = names.toReversed().map((name) => other.of(name));
  assert.deepEqual(forth, back.toReversed());
  assert.deepEqual(forth, names.map((name) => one.of(name)));
});

test("no two names of a view share a colour while some are left", () => {
  const hues = new LogHues();
  const names = Array.from({ length: HUES }, (_, n) => `fra-1/web-${n}`);
  assert.equal(new Set(names.map((name) => hues.of(name))).size, HUES);
  const [next, first] = [hues.of("fra-1/web-10"), hues.of(names[0])];
  assert.ok(next >= 0 && next < HUES);
  assert.equal(first, hueOf(names[0]));
});

test("colours are spread evenly over names that differ in one letter", () => {
  const counts = new Array(HUES).fill(0);
  for (let n = 0; n < 1000; n += 1) counts[hueOf(`host-${n % 10}/worker-${n}`)] += 1;
  assert.ok(Math.min(...counts) > 50, String(counts));
});
