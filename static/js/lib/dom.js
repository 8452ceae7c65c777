// Builds elements; text goes in as text, never as markup.

/** An element with attributes, listeners (`onclick: f`) and children (elements or strings). */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the page's sprite; the sprite's address is read from an icon that the server drew. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  const drawn = document.querySelector("svg.icon use")?.getAttribute("href") ?? "/static/img/icons.svg#";
  use.setAttribute("href", `${drawn.split("#")[0]}#${name}`);
  svg.append(use);
  return svg;
}

/** Whether keys typed now belong to a text field or a terminal. */
export function isTyping(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && Boolean(target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], .xterm"));
}

/** A token's colour as the browser resolves it in the current theme: canvases do not know light-dark(). */
export function colour(token, host = document.body) {
  const probe = el("span", { hidden: true });
  probe.style.color = `var(${token})`;
  host.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Calls `listener` when the theme changes, by toggle or by the system; returns the way to stop. */
export function onTheme(listener) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("dermaga:theme", listener);
  system.addEventListener("change", listener);
  return () => {
    document.removeEventListener("dermaga:theme", listener);
    system.removeEventListener("change", listener);
  };
}
