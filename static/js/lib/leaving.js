// Logging out: the page's live parts end first, so that none asks on without a login.
const listeners = new Set();
let isLeft = false;

/** Calls `listener` when the page logs out; returns the way to stop. */
export function onLeave(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether nothing may be asked for any more. */
export function hasLeft() {
  return isLeft;
}

function submitted(event) {
  if (event.defaultPrevented || !event.target.matches("form[data-leaves]")) return;
  isLeft = true;
  for (const listener of [...listeners]) listener();
}

/** Called once a page. */
export function setUpLeaving() {
  document.addEventListener("submit", submitted);
  document.addEventListener("htmx:beforeRequest", (event) => isLeft && event.preventDefault());
  // the way back leads to a page whose parts have ended
  window.addEventListener("pageshow", (event) => event.persisted && isLeft && location.reload());
}
