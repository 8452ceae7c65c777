// Terminal escapes in log lines.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inkOn, overwrite, runs, strip } from "../../static/js/lib/ansi.js";

const E = "\u001b";

test("plain text is one run without a style", () => {
  assert.deepEqual(runs("hello"), [{ text: "hello", style: {} }]);
  assert.deepEqual(runs(""), []);
});

test("the sixteen colours, their bright half and the way back", () => {
  assert.deepEqual(runs(`${E}[31mred${E}[39m not ${E}[94;41mboth${E}[0m end`), [
    { text: "red", style: { fg: 1 } },
    { text: " not ", style: {} },
    { text: "both", style: { fg: 12, bg: 1 } },
    { text: " end", style: {} },
  ]);
});

test("weights add up and are taken away one by one", () => {
  const found = runs(`${E}[1;3;4mall${E}[22mno bold${E}[24;23mnone`);
  assert.deepEqual(found.map((run) => run.style), [
    { bold: true, italic: true, underline: true },
    { italic: true, underline: true },
    {},
  ]);
});

test("the 256 colours: theme, cube and greys", () => {
  assert.equal(runs(`${E}[38;5;9mx`)[0].style.fg, 9);
  assert.equal(runs(`${E}[38;5;208mx`)[0].style.fg, "rgb(255, 135, 0)");
  assert.equal(runs(`${E}[48;5;244mx`)[0].style.bg, "rgb(128, 128, 128)");
});

test("truecolour in both spellings", () => {
  assert.equal(runs(`${E}[38;2;1;2;300mx`)[0].style.fg, "rgb(1, 2, 255)");
  assert.equal(runs(`${E}[38:2::10:20:30mx`)[0].style.fg, "rgb(10, 20, 30)");
  assert.equal(runs(`${E}[38;2;1;2;3;1mx`)[0].style.bold, true);
});

test("what stands on a background of its own can be read", () => {
  const [black, white] = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"];
  assert.equal(inkOn("rgb(0, 95, 255)", undefined), white);
  assert.equal(inkOn("rgb(255, 215, 0)", 15), black);
  assert.equal(inkOn("rgb(10, 10, 10)", "rgb(20, 20, 20)"), white);
  assert.equal(inkOn("rgb(10, 10, 10)", "rgb(255, 135, 0)"), "rgb(255, 135, 0)");
});

test("an empty colour escape resets", () => {
  assert.deepEqual(runs(`${E}[1ma${E}[mb`)[1], { text: "b", style: {} });
});

test("cursor moves, titles and strings vanish; a link keeps its text", () => {
  assert.equal(strip(`${E}[2K${E}[1Gdone${E}]0;title\u0007!${E}(B`), "done!");
  assert.equal(strip(`${E}]8;;http://example.com${E}\\here${E}]8;;${E}\\`), "here");
  assert.equal(strip(`${E}Pq#0;2;0;0;0${E}\\after`), "after");
});

test("a cut escape and control characters leave nothing behind", () => {
  assert.equal(strip(`a${E}`), "a");
  assert.equal(strip("a\u0000b\u0007c\td"), "abc\td");
});

test("markup stays text", () => {
  assert.equal(runs("<img src=x onerror=alert(1)>")[0].text, "<img src=x onerror=alert(1)>");
});

test("a progress bar shows what a terminal would still show", () => {
  assert.equal(overwrite("10%\r20%\r100%"), "100%");
  assert.equal(overwrite("downloading\rdone"), "doneloading");
  assert.equal(overwrite("line\r"), "line");
  assert.equal(strip(`${E}[32m10%\r${E}[32m99%${E}[0m\r`), "99%");
});

test("the runs' texts joined are the stripped line", () => {
  for (const line of [`a${E}[1mb${E}[0mc`, `x\ry${E}[31mz`, `${E}]8;;u${E}\\t${E}]8;;${E}\\`, "plain"]) {
    assert.equal(runs(line).map((run) => run.text).join(""), strip(line));
  }
});
