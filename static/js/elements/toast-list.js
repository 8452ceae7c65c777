// <toast-list>: the messages that came with the page.
import { armAll } from "dermaga/toasts";

class ToastList extends HTMLElement {
  connectedCallback() {
    armAll(this);
  }
}

customElements.define("toast-list", ToastList);
