// The colours of a terminal in the page's theme.
import { colour, el } from "dermaga/dom";

const ANSI = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** For xterm's `theme`, as the theme is now. */
export function terminalTheme() {
  const theme = { background: colour("--surface"), foreground: colour("--text"), cursor: colour("--accent"), cursorAccent: colour("--surface"), selectionBackground: colour("--accent-line") };
  const probe = el("span", { hidden: true });
  document.body.append(probe);
  ANSI.forEach((name, n) => {
    for (const [key, number] of [[name, n], [`bright${name[0].toUpperCase()}${name.slice(1)}`, n + 8]]) {
      probe.className = `a-fg-${number}`;
      theme[key] = getComputedStyle(probe).color;
    }
  });
  probe.remove();
  return theme;
}

/** The page's font for code. */
export function terminalFont() {
  return { fontFamily: getComputedStyle(document.body).getPropertyValue("--mono"), fontSize: 13 };
}
