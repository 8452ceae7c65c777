// How grave a log line is: what tests/levels.json says, as the server finds it too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { continues, recognise } from "../../static/js/lib/levels.js";

const CASES = JSON.parse(readFileSync(new URL("../levels.json", import.meta.url), "utf8"));

for (const [line, level, word] of CASES) {
  test(`finds ${level || "no level"} in: ${line || "an empty line"}`, () => {
    const found = recognise(line);
    assert.equal(found.level, level);
    assert.equal(line.slice(found.from, found.to), word);
  });
}

test("a stack trace goes on with the line before it", () => {
  assert.ok(continues("    at Pool.acquire (pool.js:212)"));
  assert.ok(continues("Caused by: java.io.IOException"));
  assert.ok(!continues("GET / 200"));
});
