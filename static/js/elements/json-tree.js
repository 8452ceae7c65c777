// <json-tree><script type="application/json">...</script></json-tree>: JSON that folds and can be searched.
// Branches are built when they open, so a page with a large document is ready at once.
import { el, icon } from "dermaga/dom";
import { hits, number, t } from "dermaga/words";

const OPEN_DEPTH = 1;
const MOST_HITS = 500;
const TYPING_MS = 120;

const isBranch = (value) => value !== null && typeof value === "object";

/** The paths (lists of keys) of `value` whose key or value has `query`, lower case; at most `most`. */
export function find(value, query, most = MOST_HITS) {
  const hits = [];
  const visit = (node, path) => {
    for (const [key, child] of Object.entries(node)) {
      if (hits.length >= most) return;
      const here = [...path, key];
      const words = isBranch(child) ? key : `${key}\u0000${child}`;
      if (words.toLowerCase().includes(query)) hits.push(here);
      if (isBranch(child)) visit(child, here);
    }
  };
  if (isBranch(value)) visit(value, []);
  return hits;
}

class JsonTree extends HTMLElement {
  connectedCallback() {
    const source = this.querySelector('script[type="application/json"]');
    if (!source || this.tree) return;
    this.value = JSON.parse(source.textContent);
    this.field = el("input", { type: "search", "data-slash": true, placeholder: t("Search keys and values"), "aria-label": t("Search keys and values"), autocomplete: "off" });
    this.count = el("span", { class: "muted", role: "status" });
    this.tree = el("div", { class: "json-body mono" });
    const folds = [["Unfold all", true], ["Fold all", false]].map(([words, open]) =>
      el("button", { type: "button", class: "chip", onclick: () => this.foldAll(open) }, t(words)),
    );
    const copy = el("button", { type: "button", class: "chip", onclick: () => this.copyAll() }, icon("copy"), t("Copy"));
    const bar = el("div", { class: "filters" }, el("div", { class: "search round" }, icon("search"), this.field), this.count, el("span", { class: "row push" }, ...folds, copy));
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), TYPING_MS);
    });
    this.field.addEventListener("keydown", (event) => event.key === "Enter" && this.step(event.shiftKey ? -1 : 1));
    this.append(bar, this.tree);
    this.build();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  build() {
    this.tree.replaceChildren(...this.nodes(this.value, 0));
  }

  nodes(value, depth) {
    return Object.entries(value).map(([key, child]) => (isBranch(child) ? this.branch(key, child, depth) : this.leaf(key, child)));
  }

  leaf(key, value) {
    const kind = value === null ? "null" : typeof value;
    const words = typeof value === "string" ? JSON.stringify(value) : String(value);
    return el("div", { class: "json-leaf", "data-key": key }, el("span", { class: "json-key" }, key), ": ", el("span", { class: `json-${kind}` }, words));
  }

  branch(key, value, depth) {
    const many = Object.keys(value).length;
    const size = Array.isArray(value) ? `[${many}]` : `{${many}}`;
    const node = el("details", { class: "json-branch", "data-key": key }, el("summary", {}, el("span", { class: "json-key" }, key), " ", el("span", { class: "muted" }, size)));
    node.grow = () => {
      if (node.grown) return;
      node.grown = true;
      node.append(el("div", { class: "json-children" }, ...this.nodes(value, depth + 1)));
    };
    node.addEventListener("toggle", () => node.open && node.grow());
    if (depth < OPEN_DEPTH && many && many < 60) {
      node.grow();
      node.open = true;
    }
    return node;
  }

  foldAll(open) {
    let level = [...this.tree.children];
    while (level.length) {
      const branches = level.filter((node) => node.localName === "details");
      for (const node of branches) {
        if (open) node.grow();
        node.open = open;
      }
      level = branches.flatMap((node) => [...(node.querySelector(":scope > .json-children")?.children ?? [])]);
    }
  }

  /** Opens the way to `path`; returns its element. */
  reveal(path) {
    let place = this.tree;
    let node = null;
    for (const key of path) {
      node = [...place.children].find((child) => child.dataset.key === key);
      if (!node) return null;
      if (node.localName !== "details") break;
      if (key !== path.at(-1)) node.open = true;
      node.grow();
      place = node.querySelector(":scope > .json-children");
    }
    return node;
  }

  search() {
    const query = this.field.value.trim().toLowerCase();
    for (const node of this.tree.querySelectorAll(".json-hit, .json-now")) node.classList.remove("json-hit", "json-now");
    this.hits = query ? find(this.value, query).map((path) => this.reveal(path)).filter(Boolean) : [];
    for (const node of this.hits) node.classList.add("json-hit");
    const words = this.hits.length >= MOST_HITS ? t("%(n)s or more hits", { n: number(MOST_HITS) }) : hits(this.hits.length);
    this.count.textContent = query ? words : "";
    this.now = -1;
    if (this.hits.length) this.step(1);
  }

  step(by) {
    if (!this.hits?.length) return;
    this.hits[this.now]?.classList.remove("json-now");
    this.now = (this.now + by + this.hits.length) % this.hits.length;
    this.hits[this.now].classList.add("json-now");
    this.hits[this.now].scrollIntoView({ block: "nearest" });
  }

  async copyAll() {
    await navigator.clipboard?.writeText(JSON.stringify(this.value, null, 2));
    this.count.textContent = t("Copied");
  }
}

customElements.define("json-tree", JsonTree);
