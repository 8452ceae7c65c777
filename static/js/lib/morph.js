// Brings new server HTML into a part of the page without disturbing the reader: what is focused, typed, ticked,
// selected, opened or scrolled stays as it is.
import { Idiomorph } from "idiomorph";

const KEPT_ATTRIBUTES = new Set(["open", "data-collapsed", "aria-expanded"]);

function isDirty(node) {
  if (node instanceof HTMLInputElement) {
    if (node.type === "checkbox" || node.type === "radio") return node.checked !== node.defaultChecked;
    return node.type !== "hidden" && node.value !== node.defaultValue;
  }
  return node instanceof HTMLTextAreaElement && node.value !== node.defaultValue;
}

function rememberSelection(root) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !root.contains(selection.anchorNode)) return () => {};
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
  return () => {
    const fits = (node, offset) => node.isConnected && offset <= (node.nodeValue ?? node.childNodes).length;
    if (fits(anchorNode, anchorOffset) && fits(focusNode, focusOffset)) {
      selection.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
    }
  };
}

function rememberScroll(root) {
  const scrolled = [...root.querySelectorAll("*")].filter((node) => node.scrollTop || node.scrollLeft);
  const places = scrolled.map((node) => [node, node.scrollTop, node.scrollLeft]);
  return () => {
    for (const [node, top, left] of places) {
      if (node.scrollTop !== top) node.scrollTop = top;
      if (node.scrollLeft !== left) node.scrollLeft = left;
    }
  };
}

/** Makes the inside of `root` what `html` (text or nodes) says; fields that were typed into keep that unless `keepDirty` is false. */
export function morphInside(root, html, { keepDirty = true } = {}) {
  const restore = [rememberSelection(root), rememberScroll(root)];
  Idiomorph.morph(root, html, {
    morphStyle: "innerHTML",
    // it leaves the children of what has the focus alone too: fine for a field, wrong for a link or a button
    ignoreActiveValue: Boolean(document.activeElement?.matches("input, textarea, select")),
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed: (node) => !(keepDirty && isDirty(node)) && !node.dataset?.keep,
      beforeAttributeUpdated: (name, node) =>
        !(KEPT_ATTRIBUTES.has(name) && node.matches("details, dialog, [data-collapsed], button.fold")),
      // what facet-menu has fetched is not in the page as the server sends it
      beforeNodeRemoved: (node) =>
        !(node instanceof HTMLDialogElement && node.open) &&
        (node.parentElement === root || node.parentElement?.localName !== "facet-menu"),
    },
  });
  for (const put of restore) put();
}
