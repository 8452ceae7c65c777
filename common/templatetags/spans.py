"""Small spans of time as diagnostics show them, and what its parts are called."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from common.templatetags.ui import short_span

register = template.Library()

PARTS = {"web": n_("Web"), "worker": n_("Worker"), "beat": n_("Scheduler"), "watch": n_("Watcher")}
SOCKETS = {
    "changes": n_("pages"),
    "logs": n_("logs"),
    "logs/pages": n_("pages of logs"),
    "logs/search": n_("searches"),
    "stats": n_("stats"),
    "terminal": n_("terminals"),
}


@register.filter
def milliseconds(value: float | None) -> str:
    """0.4 ms; "-" when unknown."""
    return "-" if value is None else f"{value:.1f} ms"


@register.filter
def seconds(value: float | None) -> str:
    """84 ms, 1.2 s, 340 s; "-" when unknown."""
    if value is None:
        return "-"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


@register.filter
def nanoseconds(value: int | None) -> str:
    """A span as Go counts it: 90 d."""
    return short_span(value / 1e9) if value else "-"


@register.filter
def signed_seconds(value: float) -> str:
    """+4.2 s, -300 s"""
    return f"{'+' if value > 0 else '-'}{seconds(abs(value))}"


@register.filter
def part_name(role: str) -> str:
    """What a part of Dermaga is called."""
    return _(PARTS[role]) if role in PARTS else role


@register.filter
def socket_kind(kind: str) -> str:
    """What open sockets of a kind are called."""
    return _(SOCKETS[kind]) if kind in SOCKETS else kind
