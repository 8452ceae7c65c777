// How grave a log line is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { continues, recognise } from "../../static/js/lib/levels.js";

const CASES = [
  ["2024-01-02T03:04:05Z ERROR boom", "error", "ERROR"],
  ["[warn] disk nearly full", "warn", "warn"],
  ["level=info msg=ok", "info", "info"],
  ['{"time":1,"level":"error","msg":"x"}', "error", "error"],
  ['{"level":50,"msg":"bunyan"}', "error", "50"],
  ['{"severity":"WARNING"}', "warn", "WARNING"],
  ["panic: runtime error", "error", "panic"],
  ["03:04:05 error: no such file", "error", "error"],
  ["DEBUG cache hit", "debug", "DEBUG"],
];

for (const [line, level, word] of CASES) {
  test(`finds ${level} in: ${line}`, () => {
    const found = recognise(line);
    assert.equal(found.level, level);
    assert.equal(line.slice(found.from, found.to), word);
  });
}

for (const line of ["GET /errors/1 200", "no error here", "terror", "information desk", "x=INFOBOX", ""]) {
  test(`finds no level in: ${line || "an empty line"}`, () => assert.equal(recognise(line).level, ""));
}

test("a stack trace goes on with the line before it", () => {
  assert.ok(continues("    at Pool.acquire (pool.js:212)"));
  assert.ok(continues("Caused by: java.io.IOException"));
  assert.ok(!continues("GET / 200"));
});
