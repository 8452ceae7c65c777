// Lines that are records: JSON objects and logfmt, as a sentence with fields behind it.

const MESSAGE = ["msg", "message", "event", "error", "err"];
const TIME = ["time", "ts", "timestamp", "@timestamp", "date"];
const LEVEL = ["level", "severity", "lvl", "levelname", "loglevel", "log.level"];
const FIELDS_AT_MOST = 200;
const VALUE_AT_MOST = 120; // characters of a value in the sentence
const LOGFMT = /^(?:[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*)(?:\s+|$)){3,}$/;
const PAIR = /([\w.@/-]+)=("(?:[^"\\]|\\.)*"|\S*)/g;

function unquoted(text) {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(1, -1);
  }
}

/** The fields of a line [[name, value], ...]; null for a line that is no record. */
export function fieldsOf(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("{") && trimmed.endsWith("}")) {
    try {
      const record = JSON.parse(trimmed);
      return Object.entries(record).slice(0, FIELDS_AT_MOST);
    } catch {
      return null;
    }
  }
  if (!trimmed.includes("=") || trimmed.length > 4000 || !LOGFMT.test(trimmed)) return null;
  return [...trimmed.matchAll(PAIR)].slice(0, FIELDS_AT_MOST).map(([, name, value]) => [name, unquoted(value)]);
}

export function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function short(value) {
  const text = shown(value).replaceAll("\n", " ");
  return text.length > VALUE_AT_MOST ? `${text.slice(0, VALUE_AT_MOST)}…` : text;
}

/** {message, rest: [[name, value], ...]}: what a reader wants first. The time is in the row already. */
export function summary(fields) {
  const find = (names) => names.map((name) => fields.find(([own]) => own.toLowerCase() === name)).find(Boolean);
  const [message, time, level] = [find(MESSAGE), find(TIME), find(LEVEL)];
  const rest = fields.filter((field) => field !== message && field !== time && field !== level);
  return { level: level ? short(level[1]) : "", message: message ? short(message[1]) : "", rest: rest.map(([name, value]) => [name, short(value)]) };
}
