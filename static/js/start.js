// The first module of every page: loads the elements that the page uses, and what every page has.
import { setUpHtmx } from "dermaga/htmx-setup";
import { setUpKeys } from "dermaga/keys";

const ELEMENTS = [
  "confirm-dialog", "copy-text", "job-progress", "json-tree", "live-region", "log-view", "row-select", "stats-chart",
  "terminal-view", "theme-toggle", "toast-list", "ago-times", "filter-form", "menu-close",
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
load();
document.addEventListener("htmx:load", load);
document.addEventListener("dermaga:morphed", load);
