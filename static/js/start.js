// The first module of every page: loads the elements that the page uses, and what every page has.
import { setUpFolding } from "dermaga/fold";
import { setUpHtmx } from "dermaga/htmx-setup";
import { setUpKeys } from "dermaga/keys";
import { setUpSwap } from "dermaga/swap";

const ELEMENTS = [
  "confirm-dialog", "copy-text", "json-tree", "live-region", "live-stats", "log-view", "row-select", "stats-chart",
  "log-choice",
  "terminal-view", "theme-toggle", "toast-list", "ago-times", "menu-close", "menu-find",
];
const ALWAYS = new Set(["ago-times", "menu-close", "confirm-dialog"]);

/** Loads each element's module when the first one of its kind is in the page. */
function load() {
  for (const name of ELEMENTS) {
    if (loaded.has(name) || !(ALWAYS.has(name) || document.querySelector(name))) continue;
    loaded.add(name);
    import(`dermaga/${name}`);
  }
}

const loaded = new Set();
setUpHtmx();
setUpKeys();
setUpSwap();
setUpFolding();
load();
document.addEventListener("htmx:load", load);
document.addEventListener("dermaga:morphed", load);
