// The stats history from the API: which span of time a chart shows, and what came back as lines.

export const RANGES = { "1h": 3600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000, "1y": 31_536_000 };
const SHORTEST = 60; // seconds; a sample is of 30
const LONGEST = 20 * 366 * 86_400;

/** A span {from, to} (Unix time) of at least a minute that does not reach into the future. */
export function bounded(from, to, now) {
  const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
  const end = Math.min(Math.round((from + to + length) / 2), Math.ceil(now));
  return { from: Math.round(end - length), to: end };
}

/** The span `factor` times as long around the same middle (0.5 zooms in, 2 out), moved by `by` lengths. */
export function moved({ from, to }, factor, by, now) {
  const [middle, half] = [(from + to) / 2 + by * (to - from), ((to - from) * factor) / 2];
  return bounded(middle - half, middle + half, now);
}

/** What the address says: {range} (live, or one of RANGES) or {span: {from, to}}; null when it says nothing. */
export function spanOf(search, now) {
  const query = new URLSearchParams(search);
  const range = query.get("range");
  if (range === "live" || (range && Object.hasOwn(RANGES, range))) return { range };
  const [from, to] = ["from", "to"].map((name) => Number(query.get(name)));
  return from > 0 && to > from ? { span: bounded(from, to, now) } : null;
}

/** An answer of the API as lines: {time, lines: {cpu: {avg, min, max}, ..., limit: {avg}}}; `cpus` shares the CPU out. */
export function linesOf(answer, cpus) {
  const share = (values) => (cpus ? values.map((value) => (value === null ? null : value / cpus)) : values);
  const lines = { ...answer.metrics };
  if (lines.cpu) lines.cpu = Object.fromEntries(Object.entries(lines.cpu).map(([part, values]) => [part, share(values)]));
  const limit = answer.memory_limit || null;
  if (limit) lines.limit = { avg: answer.time.map(() => limit) };
  return { time: answer.time, lines };
}

/** The mean and the highest of a line over all its points, nulls for none. */
export function summary(line) {
  const known = (line?.avg ?? []).filter((value) => value !== null);
  if (!known.length) return { avg: null, max: null };
  const highest = (line.max ?? line.avg).reduce((most, value) => (value !== null && value > most ? value : most), -Infinity);
  return { avg: known.reduce((sum, value) => sum + value, 0) / known.length, max: highest };
}
