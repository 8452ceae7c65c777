// Every sentence that a script shows can be translated.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const UNITS = new Set(["s", "min", "h", "d", "y"]);

test("each t(\"...\") of the scripts is in the list of words", () => {
  const known = new Set([...read("common/templatetags/words.py").matchAll(/n_\("((?:[^"\\]|\\.)*)"\)/g)].map((match) => match[1]));
  for (const folder of ["lib", "elements"]) {
    for (const file of readdirSync(new URL(`static/js/${folder}/`, root))) {
      for (const [, words] of read(`static/js/${folder}/${file}`).matchAll(/(?<![\w.])t\(\s*"((?:[^"\\]|\\.)*)"/g)) {
        assert.ok(!words || UNITS.has(words) || known.has(words), `${file}: "${words}" is not in common/templatetags/words.py`);
      }
    }
  }
});

test("no script writes markup or inline style attributes", () => {
  for (const folder of ["lib", "elements"]) {
    for (const file of readdirSync(new URL(`static/js/${folder}/`, root))) {
      const source = read(`static/js/${folder}/${file}`);
      assert.doesNotMatch(source, /\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|setAttribute\("style"/, file);
    }
  }
});
