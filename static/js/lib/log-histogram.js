// How many lines came when, as bars; red where errors are. Drawn once a second at most.
import { colour } from "dermaga/dom";

const BAR_PX = 12;
const GAP_PX = 2;

/** Counts the lines of `rows` (LogRows) into `count` equal spans of time: {bars: [[lines, errors], ...], first, span}. */
export function buckets(rows, count) {
  const bars = Array.from({ length: count }, () => [0, 0]);
  const [first, last] = [rows.first?.ms, rows.last?.ms];
  if (!(last > first)) return { bars, first: 0, span: 0 };
  const span = (last - first) / count;
  for (const block of rows.blocks) {
    for (const row of block.rows) {
      if (row.kind !== "line") continue;
      const bar = bars[Math.min(count - 1, Math.max(0, Math.floor((row.ms - first) / span)))];
      bar[0] += 1;
      if (row.level === 1) bar[1] += 1;
    }
  }
  return { bars, first, span };
}

/** Draws `rows` onto `canvas`; returns the time under a position: (x in pixels) -> milliseconds, or null. */
export function drawHistogram(canvas, rows) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return () => null;
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const { bars, first, span } = buckets(rows, Math.max(1, Math.floor(width / BAR_PX)));
  const most = Math.max(1, ...bars.map((bar) => bar[0]));
  const [grey, red] = [colour("--line-strong"), colour("--bad")];
  const wide = width / bars.length;
  bars.forEach(([lines, errors], n) => {
    if (!lines) return;
    const tall = Math.max(2, (lines / most) * height);
    pen.fillStyle = grey;
    pen.fillRect(n * wide, height - tall, wide - GAP_PX, tall);
    const bad = errors ? Math.max(2, (errors / lines) * tall) : 0;
    pen.fillStyle = red;
    pen.fillRect(n * wide, height - bad, wide - GAP_PX, bad);
  });
  return (x) => (span ? first + Math.floor(x / wide) * span : null);
}
