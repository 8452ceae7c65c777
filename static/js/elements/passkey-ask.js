// <passkey-ask act="create|get" options="ID of a JSON block" | from="/path"><button><p role="alert" hidden>: in a form. A
// click asks the browser for a passkey, puts what it says into the form's field "credential", and sends the form.
// `optional`: where passkeys cannot work the element hides. A "remember" in the page goes along.
import { asking, creating, told } from "dermaga/passkeys";
import { t } from "dermaga/words";

const isAddress = (host) => /^[\d.]+$/.test(host) || host.startsWith("[");

class PasskeyAsk extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.said = this.querySelector("[role=alert]");
    this.click = (event) => {
      event.preventDefault();
      this.ask();
    };
    this.button?.addEventListener("click", this.click);
    this.hidden = this.hasAttribute("optional") && (!window.PublicKeyCredential || isAddress(location.hostname));
  }

  disconnectedCallback() {
    this.button?.removeEventListener("click", this.click);
  }

  async ask() {
    this.say("");
    if (!window.PublicKeyCredential) return this.say(t("This browser has no passkeys here: they need HTTPS."));
    this.button.disabled = true;
    try {
      const credential = await this.use(await this.options());
      const { elements } = this.form();
      elements.credential.value = JSON.stringify(told(credential));
      const remember = document.querySelector("input[type=checkbox][name=remember]");
      if (remember?.checked && elements.remember) elements.remember.value = "on";
      this.form().submit();
    } catch (error) {
      this.say(this.sentence(error));
      this.button.disabled = false;
    }
  }

  use(options) {
    if (this.getAttribute("act") === "get") return navigator.credentials.get(asking(options));
    return navigator.credentials.create(creating(options, this.form().elements.passwordless.checked));
  }

  async options() {
    const block = document.getElementById(this.getAttribute("options"));
    if (block) {
      const found = JSON.parse(block.textContent);
      return found.creation_options ?? found.request_options;
    }
    const answer = await fetch(this.getAttribute("from"), { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).request_options;
  }

  sentence(error) {
    if (["NotAllowedError", "AbortError"].includes(error.name)) {
      return t("No passkey was used: it was cancelled, or it took too long.");
    }
    if (error.name === "InvalidStateError") return t("This device has a passkey of this account already.");
    if (error.name === "SecurityError") {
      return t("Passkeys do not work at this address: they need HTTPS, and a name in place of an IP address.");
    }
    return t("The passkey did not work: %(why)s", { why: error.message });
  }

  say(sentence) {
    this.said.textContent = sentence;
    this.said.hidden = !sentence;
  }

  form() {
    return this.closest("form");
  }
}

customElements.define("passkey-ask", PasskeyAsk);
