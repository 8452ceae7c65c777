"""{% no_rows "box" title text %}: what stands where a list has no rows, and why it has none."""

from typing import Any

from django import template
from django.template.context import RequestContext

from common.lists import asked
from hosts import reasons

register = template.Library()


@register.inclusion_tag("components/no_rows.html", takes_context=True)
def no_rows(context: RequestContext, icon_name: str, title: str, text: str) -> dict[str, Any]:
    """`title` and `text` are for a list that is empty because there is nothing yet. The context has `total` and
    `is_filtered` as common.lists.Table.context gives them."""
    request, is_filtered = context["request"], bool(context.get("is_filtered"))
    found = reasons.no_rows(request.user, asked(request.GET, "host"), is_filtered=is_filtered)
    return {
        "found": found,
        "is_filtered": is_filtered,
        "total": context.get("total", 0),
        "icon_name": icon_name,
        "title": title,
        "text": text,
        "may": context.get("may"),
    }
