// <network-map class="map">...</network-map>: the drawn map of a host's networks. What the pointer or the focus is on stands
// out: a container with its wire and rails, or a network with all that hangs on it. Everything is there without this.
class NetworkMap extends HTMLElement {
  connectedCallback() {
    for (const kind of ["pointerover", "focusin"]) this.addEventListener(kind, (event) => this.light(event.target));
    this.addEventListener("pointerleave", () => this.light(document.activeElement));
    this.addEventListener("focusout", (event) => this.light(event.relatedTarget));
    this.again = () => this.light(this.at); // what comes new from the server is not lit
    document.addEventListener("dermaga:morphed", this.again);
  }

  disconnectedCallback() {
    document.removeEventListener("dermaga:morphed", this.again);
  }

  light(at) {
    this.at = at;
    const inside = at instanceof Element && this.contains(at);
    const row = inside ? at.closest("[data-row]") : null;
    const rail = inside && !row ? at.closest("[data-rail]") : null;
    this.classList.toggle("lights", Boolean(row ?? rail));
    for (const part of this.querySelectorAll("[data-row], [data-rail]")) {
      part.classList.toggle("lit", row ? isOf(part, row) : rail ? isOf(rail, part) || part.dataset.rail === rail.dataset.rail : false);
    }
  }
}

/** Whether `part` is in the row of `row`, or one of its rails. */
function isOf(part, row) {
  if (part.dataset.row) return part.dataset.row === row.dataset.row;
  return (row.dataset.rails ?? "").split(" ").includes(part.dataset.rail);
}

customElements.define("network-map", NetworkMap);
