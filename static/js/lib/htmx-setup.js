// What htmx needs here: the CSRF header, errors as toasts, dialogs that open when they arrive.
import { csrfToken } from "dermaga/cookies";
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

function sentenceIn(text, type) {
  if (type?.includes("json")) {
    const problem = JSON.parse(text);
    return [problem.title ?? "", problem.detail ?? ""];
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  const detail = page.querySelector(".detail")?.textContent.trim() ?? "";
  page.querySelectorAll(".detail, script, style, title").forEach((node) => node.remove());
  return [page.body.textContent.trim().slice(0, 600), detail];
}

function showError(event) {
  const answer = event.detail.xhr;
  if (answer.getResponseHeader("HX-Redirect")) return;
  const [sentence, detail] = sentenceIn(answer.responseText, answer.getResponseHeader("Content-Type"));
  toast(sentence || t("The server did not answer. Check your connection and try again."), "error", detail);
}

function openDialogs(event) {
  const root = event.target instanceof Element ? event.target : document.body;
  const arrived = root.matches("dialog[data-modal]") ? [root] : root.querySelectorAll("dialog[data-modal]");
  for (const dialog of arrived) {
    if (dialog.open) continue;
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
  }
}

/** Called once a page. */
export function setUpHtmx() {
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken();
  });
  document.addEventListener("htmx:responseError", showError);
  document.addEventListener("htmx:sendError", () =>
    toast(t("The server did not answer. Check your connection and try again."), "error"),
  );
  document.addEventListener("htmx:afterSettle", openDialogs);
  document.addEventListener("dermaga:toast", (event) => toast(event.detail.text, event.detail.level, event.detail.detail));
  // A server answer may carry HX-Trigger: {"closeDialog": true} or {"toast": {"text", "level"}}
  document.addEventListener("closeDialog", () => document.querySelectorAll("dialog[open]").forEach((d) => d.close()));
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level, event.detail.detail));
}
