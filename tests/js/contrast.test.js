// Text can be read on every surface it stands on, in both themes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HUES } from "../../static/js/lib/log-hues.js";

const css = readFileSync(new URL("../../static/css/tokens.css", import.meta.url), "utf8");
const tokens = new Map();
for (const [, name, light, dark] of css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)) tokens.set(name, [light, dark]);
for (const [, name, both] of css.matchAll(/--([\w-]+): (#\w{6});/g)) tokens.set(name, [both, both]);

function luminance(hex) {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const logs = readFileSync(new URL("../../static/css/logs.css", import.meta.url), "utf8");
const hues = [...logs.matchAll(/\.log-hue-(\d+) { color: light-dark\((#\w{6}), (#\w{6})\); }/g)];
for (const [, n, light, dark] of hues) tokens.set(`log-hue-${n}`, [light, dark]);

const PAGES = ["bg", "surface", "surface-2"];
const PAIRS = [
  ...["text", "text-2", "text-3", "accent", "bad-text", "warn-text", "ok-text"].flatMap((ink) => PAGES.map((page) => [ink, page])),
  ...["text", "text-2", "text-3", "accent"].map((ink) => [ink, "accent-soft"]),
  ["text", "surface-3"], ["text-2", "surface-3"], ["bad-text", "bad-soft"], ["text-2", "bad-soft"], ["warn-text", "warn-soft"],
  ...hues.flatMap(([, n]) => ["surface", "bad-soft", "accent-soft", "surface-3"].map((page) => [`log-hue-${n}`, page])),
  ["on-accent", "accent-fill"], ["on-accent", "accent-fill-hover"], ["on-bad", "bad-fill"], ["on-bad", "bad-fill-hover"],
  ["on-inverse", "inverse"], ["on-inverse", "inverse-hover"], ["on-mark", "mark"], ["on-mark", "mark-now"],
];

for (const [ink, page] of PAIRS) {
  test(`--${ink} on --${page} has a contrast of 4.5 or more`, () => {
    [0, 1].forEach((theme) => {
      const value = contrast(tokens.get(ink)[theme], tokens.get(page)[theme]);
      assert.ok(value >= 4.5, `${value.toFixed(2)} in the ${theme ? "dark" : "light"} theme`);
    });
  });
}

test("each name of a log has a colour", () => assert.equal(hues.length, HUES));
