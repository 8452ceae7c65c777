// What of a log view the address holds: levels, streams, search, a time or a line. Who opens the address sees the same.

const HELD = ["level", "stream", "q", "regex", "case", "at", "line"];

/** A line as it stands in an address: HOST/CONTAINER/TIMESTAMP/WHICH; null for something else. */
export function parseLine(text) {
  const [host, container, stamp, ordinal] = (text ?? "").split("/");
  if (!host || !container || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(stamp ?? "")) return null;
  return { key: `${host}/${container}`, stamp, ordinal: Number(ordinal) || 0 };
}

/** {level, stream: sets, query: {q, regex, case}, at, line} of an address's query. */
export function readUrl(search) {
  const query = new URLSearchParams(search);
  const at = query.get("at") ?? "";
  return {
    only: { level: new Set(query.getAll("level")), stream: new Set(query.getAll("stream")) },
    query: { q: query.get("q") ?? "", regex: query.has("regex"), case: query.has("case") },
    at: Number.isNaN(Date.parse(at)) ? "" : new Date(at).toISOString(),
    line: parseLine(query.get("line")),
  };
}

/** The query of an address with another view in it; what else it holds stays. */
export function writeUrl(search, { only, query, at, line }) {
  const next = new URLSearchParams(search);
  for (const name of HELD) next.delete(name);
  for (const name of ["level", "stream"]) for (const value of only[name]) next.append(name, value);
  if (query.q) next.set("q", query.q);
  for (const name of ["regex", "case"]) if (query.q && query[name]) next.set(name, "1");
  if (line) next.set("line", line);
  else if (at) next.set("at", at);
  return next.size ? `?${next}` : "";
}
