// How a reader wants rows to look, kept in the browser: timestamps, records as fields, wrapped lines.

const NARROW_PX = 820;

function remembered(name, otherwise) {
  try {
    return (localStorage.getItem(`log-${name}`) ?? otherwise) === "yes";
  } catch {
    return otherwise === "yes";
  }
}

export function rememberLook(name, on) {
  try {
    localStorage.setItem(`log-${name}`, on ? "yes" : "no");
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}

/** {showTimes, showFields, wrapped}: what was chosen last; a phone wraps unless told otherwise. */
export function rememberedLook() {
  return {
    showTimes: remembered("times", "yes"),
    showFields: remembered("fields", "yes"),
    wrapped: remembered("wrap", innerWidth < NARROW_PX ? "yes" : "no"),
  };
}
