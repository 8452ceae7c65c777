// The menus of a log's bar: go to a time, download. They open as popovers: the bar scrolls sideways on a phone.
import { el, icon } from "dermaga/dom";
import { t } from "dermaga/words";

const MINUTE_MS = 60_000;
const BACK = [["15 minutes ago", 15], ["1 hour ago", 60], ["1 day ago", 24 * 60], ["1 week ago", 7 * 24 * 60]];
const EDGE_PX = 8;
let made = 0;

/** A chip that opens `content` under it. */
function menu(drawing, label, content) {
  const id = `log-menu-${(made += 1)}`;
  const words = el("span", { class: "sr" }, label);
  const button = el("button", { type: "button", class: "chip", title: label, popovertarget: id }, icon(drawing), words);
  const box = el("div", { class: "menu-list log-popup", id, popover: "auto" }, ...content);
  box.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const at = button.getBoundingClientRect();
    box.style.left = `${Math.max(EDGE_PX, Math.min(at.left, innerWidth - box.offsetWidth - EDGE_PX))}px`;
    box.style.top = `${at.bottom + 5}px`;
  });
  return { node: el("span", { class: "log-menu" }, button, box), button, box, words };
}

/** The value of a datetime-local field for `ms`. */
function localValue(ms) {
  const time = new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS);
  return time.toISOString().slice(0, 19);
}

/** The timestamp of a datetime-local field's value; "" for none. */
function stampOfLocal(value) {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
}

/** How rows look: `toggle(name)` for times and fields; `show({times, fields})` ticks what is on. */
export function lookMenu(toggle) {
  const boxes = { times: t("Timestamps (t)"), fields: t("Records as fields (j)") };
  const inputs = Object.fromEntries(Object.keys(boxes).map((name) => [name, el("input", { type: "checkbox", onchange: () => toggle(name) })]));
  const rows = Object.entries(inputs).map(([name, input]) => el("label", {}, input, boxes[name]));
  const found = menu("adjustments", t("How rows look"), rows);
  found.show = (on) => Object.entries(inputs).forEach(([name, input]) => (input.checked = on[name]));
  return found;
}

/** Goes to a time: `go(timestamp)`, or `back()` to now. */
export function timeMenu(go, back) {
  const field = el("input", { type: "datetime-local", step: "1", class: "input", "aria-label": t("Date and time") });
  const send = el("button", { type: "button", class: "button primary" }, t("Go to this time"));
  const presets = BACK.map(([label, minutes]) => el("button", { type: "button", "data-minutes": minutes }, t(label)));
  const now = el("button", { type: "button", "data-now": true }, icon("player-skip-forward"), t("Back to now"));
  const found = menu("calendar", t("Go to a time"), [el("div", { class: "menu-title" }, t("Go to a time")), now, ...presets, el("hr"), field, send]);
  const leave = (act) => {
    found.box.hidePopover();
    act();
  };
  found.box.addEventListener("toggle", () => (field.value ||= localValue(Date.now())));
  found.box.addEventListener("click", ({ target }) => {
    const minutes = Number(target.dataset?.minutes ?? 0);
    if (minutes) leave(() => go(new Date(Date.now() - minutes * MINUTE_MS).toISOString()));
    else if (target.closest("[data-now]")) leave(back);
    else if (target === send && stampOfLocal(field.value)) leave(() => go(stampOfLocal(field.value)));
  });
  field.addEventListener("keydown", (event) => event.key === "Enter" && send.click());
  return found;
}

/** Downloads the log or a range of it, as text or ndjson; `view` gives downloadUrl(query). */
export function downloadMenu(view) {
  const from = el("input", { type: "datetime-local", step: "1", class: "input", id: "log-from" });
  const to = el("input", { type: "datetime-local", step: "1", class: "input", id: "log-to" });
  const format = el("select", { class: "input", id: "log-format" }, el("option", { value: "text" }, t("Text")), el("option", { value: "ndjson" }, "ndjson"));
  const stamps = el("input", { type: "checkbox", checked: true });
  const link = el("a", { class: "button primary", download: "" }, icon("download"), t("Download"));
  const field = (label, input) => el("div", { class: "field" }, el("label", { for: input.id }, label), input);
  const show = () => {
    const query = new URLSearchParams();
    for (const [name, input] of [["since", from], ["until", to]]) if (stampOfLocal(input.value)) query.set(name, stampOfLocal(input.value));
    if (format.value !== "text") query.set("format", format.value);
    else if (stamps.checked) query.set("timestamps", "1");
    link.href = view.downloadUrl(query);
  };
  const found = menu("download", t("Download"), [
    el("div", { class: "menu-title" }, t("Download the whole log, or a range")),
    field(t("From"), from),
    field(t("To"), to),
    field(t("Format"), format),
    el("label", {}, stamps, t("With timestamps")),
    link,
  ]);
  found.box.addEventListener("toggle", show);
  found.box.addEventListener("change", show);
  link.addEventListener("click", () => found.box.hidePopover());
  return found.node;
}
