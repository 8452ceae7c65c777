// Sentences that appear in the corner and go by themselves; errors stay until they are closed.
import { el, icon } from "dermaga/dom";
import { t } from "dermaga/words";

const STAYS_MS = 6000;

function arm(toast) {
  const close = toast.querySelector("button");
  close?.addEventListener("click", () => toast.remove());
  if (toast.classList.contains("error")) return;
  let timer = setTimeout(() => toast.remove(), STAYS_MS);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => (timer = setTimeout(() => toast.remove(), STAYS_MS / 2)));
}

/** Shows `sentence`; `level` is "info", "success", "warning" or "error"; `detail` is a machine's own words. */
export function toast(sentence, level = "info", detail = "") {
  const body = el("div", {}, sentence, detail ? el("p", { class: "detail mono" }, detail) : null);
  const close = el("button", { type: "button", class: "icon-button", "aria-label": t("Close") }, icon("x"));
  const node = el("div", { class: `toast ${level}`, role: level === "error" ? "alert" : null }, body, close);
  const places = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.getElementById("toasts") ?? document.body;
  places.append(node);
  arm(node);
}

/** Gives the server's toasts their close button and their time. */
export function armAll(list) {
  for (const node of list.querySelectorAll(".toast")) arm(node);
}
