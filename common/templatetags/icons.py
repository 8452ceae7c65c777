"""{% icon "box" %}: one drawing of the sprite that common.icons builds."""

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.icons import check_name

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=1000)  # a page of rows has hundreds of them
def icon(name: str, extra: str = "") -> SafeString:
    """The icon `name` (a Tabler name in common.icons.NAMES), hidden from screen readers.

    `extra` adds classes. Raises UnknownIcon for a name that the sprite lacks.
    """
    sheet = static("img/icons.svg")
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        sheet,
        check_name(name),
    )
