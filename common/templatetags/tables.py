"""Heads of tables that sort."""

from typing import Any

from django import template
from django.template.context import RequestContext

register = template.Library()


@register.inclusion_tag("components/sort_head.html", takes_context=True)
def sort_head(context: RequestContext, name: str, label: str, sort: str, kind: str = "") -> dict[str, Any]:
    """A column's head: a link that sorts by `name`, the other way when it is sorted by it already."""
    values = context["request"].GET.copy()
    values.pop("page", None)
    values["sort"] = f"-{name}" if sort == name else name
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    return {"label": label, "url": f"?{values.urlencode()}", "direction": direction, "kind": kind}


@register.simple_tag(takes_context=True)
def query_toggle(context: RequestContext, name: str, value: str) -> str:
    """The page's query string with `name`=`value` taken away where it is, added where not; on the first page."""
    values = context["request"].GET.copy()
    chosen = values.getlist(name)
    values.setlist(name, [one for one in chosen if one != value] if value in chosen else [*chosen, value])
    for gone in ("page", "facet"):
        values.pop(gone, None)
    return f"?{values.urlencode()}"
