// A tar made in the browser is one: tar itself reads it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { header, tarOf } from "../../static/js/lib/tar.js";

const NAMES = ["a", "two words", "ünï 你好", "x".repeat(101), "y".repeat(250), `${"folder-".repeat(13)}ends/here`, "-rf"];

async function unpacked(entries) {
  const folder = mkdtempSync(join(tmpdir(), "tar-"));
  execFileSync("tar", ["-x", "-C", folder], { input: Buffer.from(await tarOf(entries).arrayBuffer()) });
  return folder;
}

test("what is put in comes out, whatever its name", async () => {
  const entries = NAMES.map((name, n) => ({ name, file: new File(["x".repeat(n * 300)], "ignored", { lastModified: 1.7e12 }) }));
  const folder = await unpacked([{ name: "empty" }, ...entries]);
  for (const [n, name] of NAMES.entries()) assert.equal(readFileSync(join(folder, name), "utf8"), "x".repeat(n * 300));
  assert.deepEqual(readdirSync(join(folder, "empty")), []);
  rmSync(folder, { recursive: true });
});

test("a record's length counts itself, also where that takes another digit", async () => {
  for (let length = 85; length < 102; length += 1) {
    const name = `ä${"n".repeat(length)}`;
    const folder = await unpacked([{ name, file: new File(["1"], "ignored") }]);
    assert.deepEqual(readdirSync(folder), [name]);
    rmSync(folder, { recursive: true });
  }
});

test("a size over eight gigabytes is told beside the header", () => {
  const [, record] = header("large", 9 * 2 ** 30, 0, false);
  assert.equal(new TextDecoder().decode(record), "19 size=9663676416\n");
});
