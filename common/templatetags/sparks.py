"""Sparklines: drawn by the server, 80 x 20, without a style attribute; what they show is in words for who cannot see it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isnan

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.templatetags.ui import filesize_iec, percent

register = template.Library()
WIDTH, HEIGHT, EDGE = 80, 20, 1.5
WORDS = {"percent": percent, "bytes": filesize_iec}
LEAST = {"percent": 4.0, "bytes": 0.0}  # what is less than that is drawn as little, not as much of nothing


@register.simple_tag
def spark(points: Sequence[float] | None, label: str, unit: str = "percent", kind: str = "") -> SafeString:
    """A line of evenly spaced `points` (nan: a gap), with `label` and its range as the title. `kind`: "second" is grey."""
    known = [point for point in points or () if not isnan(point)]
    if points is None or len(known) < 2:
        return SafeString("")
    low, high = min(known), max(known)
    words = WORDS[unit]
    title = _("%(label)s, last hour: %(low)s to %(high)s") % {"label": label, "low": words(low), "high": words(high)}
    # bytes are drawn around where they are, since use hardly ever falls to nothing; a tenth of air keeps noise small
    bottom, top = (0.0, high) if unit == "percent" else (low - high / 10, high + high / 10)
    lines = format_html_join(
        "", '<polyline points="{}"/>', ((line,) for line in _lines(points, bottom, top, LEAST[unit]))
    )
    return format_html(
        '<svg class="spark {}" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>',
        kind,
        WIDTH,
        HEIGHT,
        title,
        lines,
    )


def _lines(points: Sequence[float], bottom: float, top: float, least: float) -> Iterator[str]:
    """The pieces between gaps, as SVG coordinates; a single point is a short dash."""
    apart = WIDTH / (len(points) - 1)
    scale = (HEIGHT - 2 * EDGE) / max(top - bottom, least, 1e-9)
    for is_gap, piece in groupby(enumerate(points), key=lambda numbered: isnan(numbered[1])):
        if not is_gap:
            places = [(n * apart, HEIGHT - EDGE - (point - bottom) * scale) for n, point in piece]
            if len(places) == 1:
                places.append((places[0][0] + 1, places[0][1]))
            yield " ".join(f"{x:.0f},{y:.1f}" for x, y in places)
