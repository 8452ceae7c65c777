// Sentences in the reader's language, from the JSON block that {% script_words %} leaves in the page.
let catalogue;

function load() {
  const block = document.getElementById("words");
  try {
    return block ? JSON.parse(block.textContent) : {};
  } catch {
    return {};
  }
}

/** Puts values into a sentence's %(name)s places. */
export function fill(sentence, values = {}) {
  return sentence.replace(/%\((\w+)\)s/g, (place, name) => (name in values ? String(values[name]) : place));
}

/** The sentence in the reader's language, with its places filled. */
export function t(sentence, values) {
  catalogue ??= load();
  return fill(catalogue[sentence] ?? sentence, values);
}

/** "1 hit", "128 hits". */
export function hits(count) {
  return count === 1 ? t("1 hit") : t("%(n)s hits", { n: number(count) });
}

/** A number with the reader's thousands separators. */
export function number(value) {
  return Number(value).toLocaleString(document.documentElement.lang || undefined);
}
