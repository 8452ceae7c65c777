// Samples of a container as series for charts: counters become rates, old ones leave after ten minutes.

export const SPAN_SECONDS = 600;
const HOLE_SECONDS = 15; // a longer silence is a hole in the line, not a slope

/** One target's samples: [index, unix ms, cpu %, mem used, mem limit, net rx, net tx, block read, block written, pids]. */
export class StatsSeries {
  constructor() {
    this.columns = Array.from({ length: 9 }, () => []); // seconds, cpu, memory, limit, rx/s, tx/s, read/s, write/s, pids
    this.last = null;
  }

  add(sample) {
    const [, ms, cpu, used, limit, rx, tx, read, written, pids] = sample;
    const seconds = ms / 1000;
    if (this.last && seconds <= this.last.seconds) return;
    const since = this.last ? seconds - this.last.seconds : 0;
    if (since > HOLE_SECONDS) this.push([seconds - since / 2, ...new Array(8).fill(null)]);
    const counters = [rx, tx, read, written];
    const rates = counters.map((value, n) => {
      const before = this.last?.counters[n];
      if (!since || since > HOLE_SECONDS || value === null || before === null || value < before) return null;
      return (value - before) / since;
    });
    this.push([seconds, cpu, used, limit || null, ...rates, pids]);
    this.last = { seconds, counters };
  }

  push(values) {
    values.forEach((value, n) => this.columns[n].push(value));
    const oldest = values[0] - SPAN_SECONDS;
    let gone = 0;
    while (this.columns[0][gone] < oldest) gone += 1;
    if (gone) for (const column of this.columns) column.splice(0, gone);
  }

  latest(column) {
    return this.columns[column].at(-1) ?? null;
  }
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in powers of 1024: 96 MiB, 1.2 GiB; "-" when unknown. */
export function bytes(value) {
  if (value === null || value === undefined) return "-";
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(size < 10 && unit > 0 ? 1 : 0)} ${UNITS[unit]}`;
}

/** A percentage with one digit where it is small: 0.4 %, 141 %. */
export function percent(value) {
  return value === null || value === undefined ? "-" : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}
