// Recognises how grave a log line is, in plain text, JSON, logfmt and klog, from where programs put the word.
// The server searches by the same rules: hosts/engine/levels.py; tests/levels.json holds what both must find.

const HEAD = 240; // characters: the level stands near the start or not at all
const WORDS = {
  emerg: "error", alert: "error", crit: "error", critical: "error", fatal: "error", panic: "error", severe: "error",
  error: "error", err: "error", eror: "error",
  warn: "warn", warning: "warn",
  info: "info", notice: "info", inf: "info",
  debug: "debug", trace: "debug", dbg: "debug", verbose: "debug",
};
const FIELD = /(?:"(?:level|severity|lvl|levelname|log\.level|loglevel)"\s*:\s*"?|\b(?:level|lvl|severity)=["']?)([a-z]+|\d+)/i;
const KLOG_LINE = /^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ [^\s:]+:\d+\]/;
const KLOG = { I: "info", W: "warn", E: "error", F: "error" };
const UPPER = /(?<![A-Za-z_-])(EMERG|ALERT|CRIT(?:ICAL)?|FATAL|PANIC|SEVERE|ERROR|ERR|WARN(?:ING)?|INFO|NOTICE|DEBUG|TRACE|DBG|INF)(?![A-Za-z_])/;
const BRACKETS = /[[<(](emerg|alert|crit(?:ical)?|fatal|panic|error|err|warn(?:ing)?|info|notice|debug|trace)[\]>):]/i;
const FIRST = /^(?:[\d\-T:.,/Z+ ]*)?(fatal|panic|error|warn(?:ing)?|info|notice|debug)\b\s*[:\-|]/i;
const BUNYAN = [[50, "error"], [40, "warn"], [30, "info"], [10, "debug"]];

function graded(word) {
  if (/^\d+$/.test(word)) return BUNYAN.find(([least]) => Number(word) >= least)?.[1] ?? "";
  return KLOG[word] ?? WORDS[word.toLowerCase()] ?? "";
}

/** {level: "error" | "warn" | "info" | "debug" | "", from, to}: the level of a line without escapes, and its word's place. */
export function recognise(text) {
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  for (const pattern of [FIELD, KLOG_LINE, UPPER, BRACKETS, FIRST]) {
    const match = pattern.exec(head);
    const level = match ? graded(match[1]) : "";
    if (!level) continue;
    const from = match.index + (pattern === KLOG_LINE ? 0 : match[0].indexOf(match[1], Math.max(0, match[0].length - match[1].length - 2)));
    return { level, from, to: from + match[1].length };
  }
  return { level: "", from: 0, to: 0 };
}

/** Whether a line goes on with the one before it: a stack trace's indented lines and its "Caused by". */
export function continues(text) {
  return /^(?:\s+\S|Caused by:|Traceback \(most recent|\.{3} \d+ more)/.test(text);
}
