// Terminal escapes in log lines: colours and weights become styled runs of plain text, all other escapes vanish.

const ESCAPES = new RegExp(
  [
    "\\u001b\\[[0-?]*[ -/]*[@-~]", // CSI: colours, cursor moves
    "\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)", // OSC: titles, links (their text stands between two of these)
    "\\u001b[PX^_][^\\u001b]*\\u001b\\\\", // DCS, SOS, PM, APC strings
    "\\u001b[ -/]*[0-~]", // two-character escapes, character sets
    "\\u009b[0-?]*[ -/]*[@-~]",
    "\\u001b", // one that was cut off
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001a\\u001c-\\u001f\\u007f]",
  ].join("|"),
  "g",
);
const HAS_ESCAPE = /[\u0000-\u0008\u000b-\u001f\u007f\u009b]/;
const READABLE = 4.5; // contrast
const COLOUR = /^[\u001b\u009b]\[?([0-9;:]*)m$/;

/** What a terminal would still show of a line after its carriage returns: later text overwrites from the left. */
export function overwrite(line) {
  if (!line.includes("\r")) return line;
  let shown = "";
  for (const part of line.split("\r")) {
    if (part === "") continue;
    if (part.includes("\u001b") || shown.includes("\u001b") || part.length >= shown.length) shown = part;
    else shown = part + shown.slice(part.length);
  }
  return shown;
}

/** The line without escapes and control characters: what is searched, copied and recognised. */
export function strip(line) {
  return HAS_ESCAPE.test(line) ? overwrite(line).replace(ESCAPES, "") : line;
}

/** A colour of the 256 as "rgb(...)"; the first 16 are theme colours and stay numbers. */
function indexed(n) {
  if (!(n >= 0 && n <= 255)) return null;
  if (n < 16) return n;
  if (n >= 232) {
    const grey = 8 + (n - 232) * 10;
    return `rgb(${grey}, ${grey}, ${grey})`;
  }
  const level = (step) => (step ? 55 + step * 40 : 0);
  const cube = n - 16;
  return `rgb(${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6) % 6)}, ${level(cube % 6)})`;
}

function channel(value) {
  return Math.min(255, Math.max(0, value || 0));
}

/** Reads 38/48's arguments from `codes` at `at`; returns [colour or null, how many codes were used]. */
function extended(codes, at) {
  if (codes[at + 1] === 5) return [indexed(codes[at + 2]), 2];
  if (codes[at + 1] === 2) {
    const [r, g, b] = codes.slice(at + 2, at + 5).map(channel);
    return [`rgb(${r ?? 0}, ${g ?? 0}, ${b ?? 0})`, 4];
  }
  return [null, 0];
}

const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

function numbers(text) {
  // 38:2::r:g:b is the colon form with an empty colour space; the semicolon form has none
  return text.replace(/([34]8):2:[0-9]*:([0-9]+:[0-9]+:[0-9]+)/g, "$1;2;$2").split(/[;:]/).map(Number);
}

/** Applies the codes of one SGR escape to `style`; returns a new style. */
function restyle(style, text) {
  let next = { ...style };
  const codes = numbers(text);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) next = {};
    else if (FLAGS[code]) next[FLAGS[code]] = true;
    else if (OFF[code]) for (const flag of OFF[code]) delete next[flag];
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
    else if (code === 39) delete next.fg;
    else if (code === 49) delete next.bg;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, at);
      if (colour !== null) next[code === 38 ? "fg" : "bg"] = colour;
      at += used;
    }
  }
  return next;
}

/** The line as runs [{text, style}] in order; the runs' texts joined are `strip(line)`.
    A style may hold bold, dim, italic, underline, inverse, strike, fg and bg (0 to 15, or "rgb(...)"). */
export function runs(line) {
  if (!HAS_ESCAPE.test(line)) return line ? [{ text: line, style: {} }] : [];
  const text = overwrite(line);
  const found = [];
  let style = {};
  let from = 0;
  const add = (part) => part && found.push({ text: part, style });
  for (const match of text.matchAll(ESCAPES)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    const colours = COLOUR.exec(match[0]);
    if (colours) style = restyle(style, colours[1]);
  }
  add(text.slice(from));
  return found;
}

const isOwn = (colour) => typeof colour === "string" && colour.startsWith("rgb");

function luminance(colour) {
  const [r, g, b] = colour.match(/\d+/g).map((n) => (n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** What can be read on a background of its own colour: the ink that was asked for, else black or white. */
export function inkOn(bg, fg) {
  if (isOwn(fg) && contrast(bg, fg) >= READABLE) return fg;
  const [black, white] = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"];
  return contrast(bg, black) > contrast(bg, white) ? black : white;
}

/** A chosen colour is moved as far as reading on the theme's own surfaces needs. */
function inkOf(span, fg) {
  span.style.color = fg;
  span.style.color = `light-dark(oklch(from ${fg} min(l, 0.5) c h), oklch(from ${fg} max(l, 0.68) c h))`;
}

/** Dresses `span` in `style`: theme colours by class, others by property (a style attribute would break the CSP). */
export function dress(span, style) {
  let { fg, bg } = style;
  if (style.inverse) [fg, bg] = [bg ?? "page", fg ?? "text"];
  for (const flag of ["bold", "dim", "italic", "underline", "strike"]) {
    if (style[flag]) span.classList.add(`a-${flag}`);
  }
  if (isOwn(bg)) {
    span.style.backgroundColor = bg;
    span.style.color = inkOn(bg, fg);
    return;
  }
  if (isOwn(fg)) inkOf(span, fg);
  else if (fg !== undefined) span.classList.add(`a-fg-${fg}`);
  if (bg !== undefined) span.classList.add(`a-bg-${bg}`);
}
