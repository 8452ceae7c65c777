// A colour for each host and container of a merged log: by its name, so that it is the same in every view, unless
// another one in this view has it already. logs.css holds the colours.

export const HUES = 10;

/** The hue that a name asks for: FNV-1a, which spreads names that differ in one letter. */
export function hueOf(name) {
  let hash = 0x811c9dc5;
  for (let n = 0; n < name.length; n += 1) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193);
  return (hash >>> 8) % HUES;
}

/** Gives each name of a view its hue, once; two names share one only when all are taken. */
export class LogHues {
  constructor() {
    this.given = new Map();
    this.taken = new Set();
  }

  of(name) {
    let hue = this.given.get(name);
    if (hue !== undefined) return hue;
    hue = hueOf(name);
    if (this.taken.size === HUES) this.taken.clear();
    while (this.taken.has(hue)) hue = (hue + 1) % HUES;
    this.taken.add(hue);
    this.given.set(name, hue);
    return hue;
  }
}

/** Shows in the chips of what is chosen which colour is whose: they are the view's legend. */
export function colourChips({ targets, hues }) {
  for (const chip of document.querySelectorAll("log-choice a.chip[data-value]")) {
    const { name, value } = chip.dataset;
    const target = targets.find((one) => one.shown === value || one.key.startsWith(value));
    const named = name === "host" ? value : name === "target" ? target?.shown : "";
    if (named) chip.querySelector(".icon").classList.add(`log-hue-${hues.of(named)}`);
  }
}
