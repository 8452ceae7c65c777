// Groups of a table fold: <tbody>, in its head row <button class="fold" aria-expanded>. A live change leaves them folded.

/** Called once a page. */
export function setUpFolding() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.fold");
    if (!button) return;
    const folded = button.closest("tbody").toggleAttribute("data-collapsed");
    button.setAttribute("aria-expanded", String(!folded));
  });
}
