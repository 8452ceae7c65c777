// Filters, order and pages of a list change in place: links to "?..." and forms with data-swap fetch the page for the new
// URL and morph it into this one. Focus, open menus and scroll position stay; without this script they are plain links.
import { morphInside } from "dermaga/morph";

const TYPING_MS = 300;
let request = null;
let timer = null;

async function show(url, remember) {
  clearTimeout(timer);
  timer = null;
  request?.abort();
  request = new AbortController();
  try {
    const answer = await fetch(url, { signal: request.signal, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (!answer.ok || answer.redirected || !fresh) throw new Error(answer.status);
    remember?.();
    document.title = page.title;
    const main = document.getElementById("main");
    morphInside(main, fresh.childNodes, { keepDirty: false });
    globalThis.htmx?.process(main);
    (main.querySelector("row-select") ?? main).dispatchEvent(new CustomEvent("dermaga:morphed", { bubbles: true }));
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url); // the browser says what is wrong
  }
}

function follow(url) {
  show(url, () => history.pushState(null, "", url));
}

function addressOf(form) {
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(filled).toString();
  return `${location.pathname}?${query}`;
}

/** The link's query, with the search that was typed a moment ago and is not in the page's links yet. */
function withTyped(query) {
  const field = document.querySelector("#main form[data-swap] input[type=search]");
  if (!timer || !field || query === "?") return query;
  const params = new URLSearchParams(query);
  if (field.value) params.set(field.name, field.value);
  else params.delete(field.name);
  return `?${params}`;
}

function clicked(event) {
  const link = event.target.closest?.('#main a[href^="?"]');
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  follow(`${location.pathname}${withTyped(link.getAttribute("href"))}`);
  if (link.closest(".pages")) document.getElementById("main").scrollIntoView();
}

function typed(event) {
  const form = event.target.closest?.("form[data-swap]");
  if (!form || event.target.type !== "search" || event.isComposing) return;
  clearTimeout(timer);
  const url = () => addressOf(form);
  timer = setTimeout(() => show(url(), () => history.replaceState(null, "", url())), TYPING_MS);
}

function submitted(event) {
  if (!event.target.matches("form[data-swap]")) return;
  event.preventDefault();
  event.target.closest("details.menu")?.removeAttribute("open");
  follow(addressOf(event.target));
}

/** Called once a page. */
export function setUpSwap() {
  document.addEventListener("click", clicked);
  document.addEventListener("input", typed);
  document.addEventListener("submit", submitted);
  window.addEventListener("popstate", () => show(location.href));
}
