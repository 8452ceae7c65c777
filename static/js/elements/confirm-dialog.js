// Asks before a form with data-confirm-title, data-confirm-text and data-confirm-verb is sent, by htmx or without.
// data-confirm-affected, HOST/ID of a container, or "chosen" for those that the form has chosen, says who leans on them.
// data-confirm-chosen, a JSON list of names, fills %(n)s in the verb and lists them; for one the button's words do.
import { el } from "dermaga/dom";
import { fill, number, t } from "dermaga/words";

const NAMES_SHOWN = 8;
const TARGETS_ASKED = 50; // an address has room for so many

class ConfirmDialog extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.onSubmit = (event) => this.caught(event);
    document.addEventListener("submit", this.onSubmit, true); // before htmx hears it
    this.dialog.addEventListener("click", (event) => {
      const answer = event.target.closest("[data-answer]")?.dataset.answer;
      if (answer) this.dialog.close(answer);
    });
    this.dialog.addEventListener("close", () => this.answered());
  }

  disconnectedCallback() {
    document.removeEventListener("submit", this.onSubmit, true);
  }

  caught(event) {
    const asks = event.submitter?.dataset.confirmTitle ? event.submitter : event.target;
    if (!asks.dataset.confirmTitle || this.agreed === event.target) {
      this.agreed = null;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.asked = { form: event.target, submitter: event.submitter };
    this.dialog.returnValue = "";
    this.dialog.querySelector("h2").textContent = asks.dataset.confirmTitle;
    this.dialog.querySelector("p").textContent = asks.dataset.confirmText ?? "";
    const yes = this.dialog.querySelector('[data-answer="yes"]');
    const names = JSON.parse(asks.dataset.confirmChosen || "[]");
    const verb = names.length === 1 ? asks.textContent.trim() : asks.dataset.confirmVerb;
    yes.textContent = fill(verb ?? asks.dataset.confirmTitle, { n: number(names.length) });
    this.list(this.dialog.querySelector("ul"), names);
    this.affects(asks.dataset.confirmAffected ?? "", event.target);
    yes.classList.toggle("danger", asks.dataset.confirmKind !== "plain");
    yes.classList.toggle("primary", asks.dataset.confirmKind === "plain");
    this.dialog.showModal();
  }

  // Who else is affected is told as soon as the server says it; the dialog waits for nothing.
  async affects(target, form) {
    const place = this.dialog.querySelector(".notice");
    place.hidden = true;
    if (!target) return;
    const asked = (this.affecting = new AbortController());
    const targets = target === "chosen" ? new FormData(form).getAll("target") : [target];
    const query = new URLSearchParams(targets.slice(0, TARGETS_ASKED).map((one) => ["target", one]));
    const answer = await fetch(`${this.dataset.affected}?${query}`, { signal: asked.signal }).catch(() => null);
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (asked !== this.affecting || !this.dialog.open || !told?.affected?.length) return;
    this.list(place.querySelector("ul"), told.affected);
    place.hidden = false;
  }

  list(place, names) {
    const shown = names.slice(0, NAMES_SHOWN).map((name) => el("li", {}, name));
    if (names.length > NAMES_SHOWN) shown.push(el("li", {}, t("and %(n)s more", { n: number(names.length - NAMES_SHOWN) })));
    place.replaceChildren(...shown);
    place.hidden = !names.length;
  }

  answered() {
    this.affecting?.abort();
    const asked = this.asked;
    this.asked = null;
    if (this.dialog.returnValue !== "yes" || !asked?.form.isConnected) return;
    this.agreed = asked.form;
    asked.form.requestSubmit(asked.submitter?.isConnected ? asked.submitter : null);
  }
}

customElements.define("confirm-dialog", ConfirmDialog);
