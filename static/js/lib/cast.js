// asciicast 2 (docs/recordings.md): a line of JSON about the whole, then one for each event.
const QUIET = 2; // seconds of silence that a replay keeps, of however many there were

// {columns, rows, events: [[seconds, kind, text]], length}: the times of a replay; lines that are none are left out.
export function parseCast(text) {
  const [first, ...lines] = text.split("\n");
  const about = JSON.parse(first);
  let last = 0, at = 0;
  const events = [];
  for (const line of lines) {
    const event = line && readEvent(line);
    if (!event) continue;
    at += Math.min(Math.max(0, event[0] - last), QUIET);
    last = event[0];
    events.push([at, event[1], event[2]]);
  }
  return { columns: cells(about.width, 80), rows: cells(about.height, 24), events, length: at };
}

function readEvent(line) {
  try {
    const event = JSON.parse(line);
    return Array.isArray(event) && Number.isFinite(event[0]) && typeof event[2] === "string" ? event : null;
  } catch {
    return null; // the end of one that was cut off
  }
}

function cells(value, otherwise) {
  return Number.isInteger(value) && value > 0 && value <= 1000 ? value : otherwise;
}

// [columns, rows] of "80x24", or null.
export function sizeOf(text) {
  const found = /^(\d{1,4})x(\d{1,4})$/.exec(text);
  return found && [cells(Number(found[1]), 80), cells(Number(found[2]), 24)];
}

// "1:02", or "1:00:02".
export function clock(seconds) {
  const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
