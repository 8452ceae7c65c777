// Keeps every <time data-ago> fresh; says what common/templatetags/ui.py short_span says.
import { t } from "dermaga/words";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const YEAR = 31_557_600;
const EVERY_MS = 5000;

/** A span of seconds in its largest unit. */
export function shortSpan(seconds) {
  const whole = (size) => Math.floor(seconds / size);
  if (seconds < MINUTE) return t("s", { n: Math.max(0, whole(1)) });
  if (seconds < HOUR) return t("min", { n: whole(MINUTE) });
  if (seconds < DAY) return t("h", { n: whole(HOUR) });
  if (seconds < 2 * YEAR) return t("d", { n: whole(DAY) });
  return t("y", { n: whole(YEAR) });
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const span = shortSpan((Date.now() - Date.parse(time.dateTime)) / 1000);
    const words = time.dataset.ago === "long" ? t("%(span)s ago", { span }) : span;
    if (time.textContent !== words) time.textContent = words;
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
