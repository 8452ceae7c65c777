// Keys of every page: "?" lists them, Ctrl K searches, "/" filters, "g c" goes to containers.
import { isTyping } from "dermaga/dom";

const PLACES = { o: "/", c: "/containers/", i: "/images/", n: "/networks/", v: "/volumes/", h: "/hosts/", j: "/jobs/", e: "/events/", l: "/logs/" };
const TOGETHER_MS = 1200;
let goPressed = -Infinity;

function focusAndSelect(field) {
  field?.focus();
  field?.select?.();
}

function pageFilter() {
  const fields = [...document.querySelectorAll("main [data-slash]"), ...document.querySelectorAll("main input[type=search]")];
  return fields.find((field) => field.checkVisibility()) ?? document.getElementById("search"); // closed menus hold some
}

function pressed(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    focusAndSelect(document.getElementById("search"));
    return;
  }
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal")) return;
  if (performance.now() - goPressed < TOGETHER_MS && event.key in PLACES) {
    event.preventDefault();
    location.assign(PLACES[event.key]);
  } else if (event.key === "?") {
    document.getElementById("shortcuts")?.showModal();
  } else if (event.key === "/") {
    event.preventDefault();
    focusAndSelect(pageFilter());
  }
  goPressed = event.key === "g" ? performance.now() : -Infinity;
}

/** Called once a page. */
export function setUpKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-close]")?.closest("dialog")?.close();
    const opener = event.target.closest?.("[data-open]");
    if (!opener) return;
    const dialog = document.getElementById(opener.dataset.open);
    opener.closest("details.menu")?.removeAttribute("open");
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  });
}
