// Menus (<details class="menu">) close when the reader clicks elsewhere, presses Escape or chooses something.
function closeAllBut(kept) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== kept) menu.open = false;
}

document.addEventListener("click", (event) => {
  const menu = event.target.closest?.("details.menu");
  closeAllBut(menu);
  if (menu && event.target.closest("a:not([data-stays]), .menu-list button:not([type=button], [data-stays]), [data-closes]")) {
    menu.open = false;
    menu.querySelector("summary").focus(); // a dialog that opens now gives the focus back to it
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-list :is(a, button, input:not([type=hidden]), select)")].filter((item) => item.checkVisibility());
    const step = event.key === "ArrowDown" ? 1 : -1;
    items.at((items.indexOf(document.activeElement) + step) % items.length)?.focus();
    event.preventDefault();
  }
});
