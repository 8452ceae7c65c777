// The first module of every page: loads the elements that the page uses, and what every page has.
import { setUpFolding } from "dermaga/fold";
import { setUpHtmx } from "dermaga/htmx-setup";
import { setUpKeys } from "dermaga/keys";
import { setUpLeaving } from "dermaga/leaving";
import { setUpSwap } from "dermaga/swap";

const ELEMENTS = [
  "command-palette", "confirm-dialog", "copy-text", "json-tree", "live-region", "live-stats", "log-view", "row-select", "stats-chart",
  "field-rows", "log-choice", "file-drop", "folder-pick", "image-search", "passkey-ask",
  "terminal-view", "terminal-replay", "theme-toggle", "toast-list", "ago-times", "menu-close", "menu-find", "facet-menu", "network-map",
];
const ALWAYS = new Set(["ago-times", "menu-close", "confirm-dialog"]);

const AGAIN_MS = [500, 2000, 5000];

/** Imports an element's module; a network that blinked while the page loaded must not leave a dead part in it. */
function bring(name, tries = 0) {
  import(`dermaga/${name}`).catch((error) => {
    if (tries === AGAIN_MS.length) throw error;
    setTimeout(() => bring(name, tries + 1), AGAIN_MS[tries]);
  });
}

/** Loads each element's module when the first one of its kind is in the page. */
function load() {
  for (const name of ELEMENTS) {
    if (loaded.has(name) || !(ALWAYS.has(name) || document.querySelector(name))) continue;
    loaded.add(name);
    bring(name);
  }
}

const loaded = new Set();
setUpHtmx();
setUpKeys();
setUpLeaving();
setUpSwap();
setUpFolding();
load();
document.addEventListener("htmx:load", load);
document.addEventListener("dermaga:morphed", load);
