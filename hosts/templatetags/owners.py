"""{% owner_of row %}: what a page says of whose an object is."""

from dataclasses import dataclass

from django import template
from django.template.context import RequestContext
from django.urls import reverse

from accounts.models import Team
from hosts.models.base import Owned, Shared
from hosts.models.owners import shared_names
from hosts.owning import may_share
from hosts.pages import NOUNS, args_of

register = template.Library()


@dataclass(frozen=True)
class Belonging:
    """Names of the teams that it is `shared` with, and where the reader changes that: "" for who may not."""

    shared: list[str]
    url: str


@register.simple_tag(takes_context=True)
def owner_of(context: RequestContext, row: Owned) -> Belonging | None:
    """None where there are no teams, of which one could own it."""
    if not Team.objects.exists():
        return None
    shared = shared_names(row) if isinstance(row, Shared) else []
    url = (
        reverse("owner_edit", args=[NOUNS[type(row)], *args_of(row)]) if may_share(context["request"].user, row) else ""
    )
    return Belonging(shared, url)
