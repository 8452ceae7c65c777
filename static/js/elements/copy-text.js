// <copy-text value="whole text"><button>shown</button></copy-text>: a click copies the whole text.
import { toast } from "dermaga/toasts";
import { t } from "dermaga/words";

class CopyText extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.copy);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.copy);
  }

  async copy(event) {
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(this.getAttribute("value") ?? this.textContent);
      toast(t("Copied"));
    } catch {
      toast(t("Could not copy; select the text and copy it by hand"), "warning"); // plain HTTP: no clipboard
    }
  }
}

customElements.define("copy-text", CopyText);
