"""Small pieces of every page: sizes, times, shortened ids, state shapes, form fields, navigation entries."""

from datetime import datetime
from typing import Any

from django import forms, template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from common.templatetags.words import STATE_WORDS

register = template.Library()

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 31_557_600
MIDDLE_MARK = "…"

# A state is a shape and a colour and a word, so that nobody needs to see the colour.
SHAPES: dict[str, str] = {
    **dict.fromkeys(("running", "healthy", "online", "done", "active", "in use", "started", "enabled"), "ok"),
    **dict.fromkeys(
        (
            "unhealthy",
            "dead",
            "unreachable",
            "wrong_certificate",
            "refused",
            "failed",
            "rejected",
            "orphaned",
            "error",
            "lost",
        ),
        "bad",
    ),
    **dict.fromkeys(
        (
            "restarting",
            "retrying",
            "starting",
            "paused",
            "removing",
            "connecting",
            "slow",
            "interrupted",
            "late",
            "missed",
            "warning",
        ),
        "warn",
    ),
}


@register.filter
def filesize_iec(value: float | str | None) -> str:
    """Bytes in powers of 1024 with two or three digits that matter: 96 MiB, 1.2 GiB; "-" when unknown."""
    size = -1.0 if value in {None, ""} else float(value or 0)
    if size < 0:
        return "-"
    for unit in UNITS:
        if size < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    digits = 1 if size < 10 and unit != "B" else 0
    return f"{size:.{digits}f} {unit}"


@register.filter
def cpus(value: int) -> str:
    """CPUs from billionths: 1.5."""
    return f"{value / 1_000_000_000:.2f}".rstrip("0").rstrip(".")


@register.filter
def percent(value: float | None) -> str:
    """A percentage with one digit where it is small: 0.4 %, 141 %; "-" when unknown."""
    if value is None:
        return "-"
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def short_span(seconds: float) -> str:
    """A span in its largest unit: 4 s, 12 min, 3 h, 41 d, 2 y. static/js/elements/ago.js says the same."""
    if seconds < MINUTE:
        return pgettext("seconds", "%(n)s s") % {"n": max(0, int(seconds))}
    if seconds < HOUR:
        return pgettext("minutes", "%(n)s min") % {"n": int(seconds // MINUTE)}
    if seconds < DAY:
        return pgettext("hours", "%(n)s h") % {"n": int(seconds // HOUR)}
    if seconds < 2 * YEAR:
        return pgettext("days", "%(n)s d") % {"n": int(seconds // DAY)}
    return pgettext("years", "%(n)s y") % {"n": int(seconds // YEAR)}


@register.simple_tag
def ago(value: datetime | None, style: str = "short") -> SafeString | str:
    """How long ago `value` was, exact on hover and kept fresh in the browser; `style` "long" adds "ago"."""
    if value is None:
        return "-"
    span = short_span((timezone.now() - value).total_seconds())
    shown = _("%(span)s ago") % {"span": span} if style == "long" else span
    local = timezone.localtime(value)
    exact = f"{date_format(local, 'Y-m-d H:i:s')} {local.tzname()}"
    return format_html(
        '<time class="ago" datetime="{}" title="{}" data-ago="{}">{}</time>',
        local.isoformat(),
        exact,
        style,
        shown,
    )


@register.filter
def duration(seconds: float | None) -> str:
    """A span of `seconds` in words (3 min); "-" when unknown."""
    return "-" if seconds is None else short_span(seconds)


@register.filter
def clock(value: datetime | None) -> str:
    """The local time of day, with the date when it is not today: 14:02, or 2026-03-01 14:02."""
    if value is None:
        return "-"
    local = timezone.localtime(value)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else "Y-m-d H:i")


@register.filter
def middle(value: str | None, length: int = 24) -> str:
    """`value` shortened in the middle to `length` characters, since both ends of a name tell it."""
    text = str(value or "")
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    tail = length - 1 - head
    return f"{text[:head]}{MIDDLE_MARK}{text[len(text) - tail :]}"


@register.filter
def short_id(value: str | None) -> str:
    """An engine's id as its command line shows it: twelve characters, no "sha256:"."""
    return str(value or "").removeprefix("sha256:")[:12]


@register.filter
def without_digest(value: str | None) -> str:
    """A reference without its digest, where it has a name as well."""
    return str(value or "").partition("@")[0]


@register.filter
def digest(value: str | None) -> str:
    """The digest of a reference: sha256:... of name@sha256:...; "" when it has none."""
    return str(value or "").partition("@")[2]


@register.filter
def upstream_version(value: str | None) -> str:
    """A version without what a distribution added to it: 20.10.24 of 20.10.24+dfsg1."""
    return str(value or "").partition("+")[0]


@register.simple_tag
def copy(value: str | None, length: int = 0, shown: str = "") -> SafeString:
    """`value` in mono, copied whole on click; shortened in the middle to `length`, or replaced by `shown`."""
    whole = str(value or "")
    if not whole:
        return SafeString("")
    visible = shown or (middle(whole, length) if length else whole)
    return format_html(
        '<copy-text value="{}"><button type="button" class="copy mono" title="{}">{}</button></copy-text>',
        whole,
        _("Copy: %(value)s") % {"value": whole},
        visible,
    )


def _word(state: str) -> str:
    return _(state) if state in STATE_WORDS else state.replace("_", " ")


@register.filter
def state_shape(state: str | None, words: str = "") -> SafeString:
    """A state as a shape and a word: a dot, an amber ring, or a red diamond. `words` replaces the word."""
    key = str(state or gettext_noop("unknown"))
    shape = SHAPES.get(key, "off")
    return format_html('<span class="state state-{}">{}</span>', shape, words or _word(key))


@register.simple_tag
def container_state(state: str, health: str = "", exit_code: int | None = None) -> SafeString:
    """A container's state: its health where that says more, and the exit code of one that ended."""
    if state == "running" and health in {"unhealthy", "starting"}:
        return state_shape(health)
    if state == "exited" and exit_code is not None:
        words = _("exited (%(code)s)") % {"code": exit_code}
        return state_shape("error" if exit_code not in (0, 143) else "exited", words)
    return state_shape(state)


@register.filter
def error_layout(status: int, request: Any) -> str:
    """The frame around an error page: the whole one only where asking for counts cannot fail again."""
    user = getattr(request, "user", None)
    if status == 500 or user is None or not user.is_authenticated:
        return "account/base_entrance.html"
    return "base.html"


@register.inclusion_tag("components/field.html")
def field(bound: forms.BoundField, kind: str = "", optional: bool = True) -> dict[str, Any]:
    """One form field: label, control, help, errors. `kind`: "wide" spans the form, "mono" is for code. `optional`: False
    where the form asks for it once another field says so."""
    widget = bound.field.widget
    return {
        "field": bound,
        "kind": kind,
        "checkbox": isinstance(widget, forms.CheckboxInput),
        "group": bound.use_fieldset,
        # one of a list is always chosen
        "optional": optional and not bound.field.required and not isinstance(widget, forms.Select),
    }


@register.inclusion_tag("components/nav_entry.html", takes_context=True)
def nav_entry(
    context: RequestContext,
    label: str,
    url: str,
    icon: str,
    count: int | None = None,
    name: str = "",
    exact: bool = False,
) -> dict[str, Any]:
    """An entry of the navigation, with the live count `name`; marked as the current one when the page's path is at or below `url`."""
    request = context.get("request")
    path = request.path if request is not None else ""
    current = path == url if exact else path.startswith(url)
    return {"label": label, "url": url, "icon_name": icon, "count": count, "name": name, "current": current}


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """The page's query string with `changes` applied (None or "" takes a key away): {% query page=2 %}."""
    values = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            values.pop(key, None)
        else:
            values[key] = value
    encoded = values.urlencode()
    return f"?{encoded}" if encoded else "?"
