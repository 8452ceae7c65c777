"""Questions to a registry, for a page that is already there: short deadlines, nothing changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Denied, Failure, Invalid
from hosts.access import EVERYWHERE
from hosts.actions.act import demand, demand_each, failure
from hosts.engine.errors import EngineError
from hosts.models import Registry, RegistryAccount
from hosts.registry import content, errors, hub
from hosts.registry.client import Client
from hosts.registry.names import REPOSITORY, parse_reference

ROWS_A_PAGE = 100  # of repositories
TAGS_A_PAGE = 20  # each costs the registry some requests
CHECKED_AT_MOST = 300  # tags that are compared before one is deleted
SUGGESTED_AT_MOST = 100


@dataclass
class Part:
    """A page of what was found: `items`, how many there are in `count`, and whether the registry has `more` of them
    than were looked at."""

    items: list[Any]
    count: int
    more: bool
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.count // self.page_size))


def repositories(actor: Any, registry: Registry, *, account: int | None, search: str = "", page: int = 1) -> Part:
    """Names of repositories; of Docker Hub, which lists none, what a search finds."""
    with _asking(actor, registry, account) as client:
        if registry.is_hub:
            found = hub.search(search) if search else []
            return Part(found, len(found), False, 1, ROWS_A_PAGE)
        names, more = content.repositories(client)
    matching = sorted(name for name in names if search.lower() in name.lower())
    return _part(matching, more, page, ROWS_A_PAGE)


def tags(
    actor: Any, registry: Registry, repository: str, *, account: int | None, search: str = "", page: int = 1
) -> Part:
    """Tags with digest, platforms and sizes."""
    name = _named(registry, repository)
    with _asking(actor, registry, account) as client:
        if registry.is_hub:
            try:  # there a look at a manifest counts as a pull
                found, count = hub.tags(name, search=search, page=page)
                return Part(found, count, False, page, hub.TAGS_A_PAGE)
            except errors.RepositoryUnknown:
                if client.login is None:
                    raise
        names, more = content.tags(client, name)
        part = _part([tag for tag in names if search.lower() in tag.lower()], more, page, TAGS_A_PAGE)
        part.items = content.describe_all(client, name, part.items)
    return part


def sharing(actor: Any, registry: Registry, repository: str, tag: str, *, account: int | None) -> dict[str, Any]:
    """What deleting a tag takes along: {"digest", "tags" of the same image, this one too, "unchecked": how many more
    tags there are that were not compared}."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    repository = _named(registry, repository)
    with _asking(actor, registry, account) as client:
        digest = content.digest(client, repository, tag)
        names, more = content.tags(client, repository)
        others = [name for name in names if name != tag]
        same = content.same_digest(client, repository, digest, others[:CHECKED_AT_MOST])
    return {"digest": digest, "tags": [tag, *same], "unchecked": max(0, len(others) - CHECKED_AT_MOST), "more": more}


def suggest(actor: Any, image: str, search: str = "") -> dict[str, Any]:
    """Tags for an image's name that is being typed: {"items": names, "count", "more", "problem": why there are none}.
    The name's registry is asked, with its default account if it is stored here."""
    reference = parse_reference(image.strip())
    if reference is None:
        raise Invalid(
            "image", gettext_noop("This is not an image's name. Examples: nginx, team/app, ghcr.io/team/app.")
        )
    registry = Registry.objects.visible_to(actor).filter(address=reference.registry).first()
    if registry is None:  # nobody has said that it may be asked
        words = gettext_noop("The registry %(address)s is not stored here. Add it to see its tags.")
        raise Invalid("image", words, {"address": reference.registry})
    try:
        with _asking(actor, registry, None) as client:
            names, more = content.tags(client, reference.repository)
    except Failure as error:
        return {"items": [], "count": 0, "more": False, "problem": str(error)}
    found = [name for name in names if search.lower() in name.lower()]
    return {"items": found[:SUGGESTED_AT_MOST], "count": len(found), "more": more, "problem": ""}


def _named(registry: Registry, repository: str) -> str:
    """A repository's name as its registry has it. Raises Invalid."""
    name = repository.strip().strip("/")
    if not REPOSITORY.fullmatch(name) or len(name) > 255:
        raise Invalid("repository", gettext_noop("This is not a repository's name. Examples: nginx, team/app."))
    return f"library/{name}" if registry.is_hub and "/" not in name else name


def _part(names: list[str], more: bool, page: int, size: int) -> Part:
    page = min(max(1, page), max(1, -(-len(names) // size)))
    return Part(names[(page - 1) * size : page * size], len(names), more, page, size)


@contextmanager
def _asking(actor: Any, registry: Registry, account: int | None) -> Iterator[Client]:
    """A client that logs in with that account, or the default one. Raises Failure."""
    demand_each(actor, Right.REGISTRIES_VIEW, [])  # be it for their team's account alone
    if not Registry.objects.visible_to(actor).filter(pk=registry.pk).exists():
        raise Denied
    rows = RegistryAccount.objects.usable(actor).filter(registry=registry)
    chosen = rows.first() if account is None else rows.filter(pk=account).first()
    if account is not None and chosen is None:
        raise Invalid("account", gettext_noop("This registry has no such account (any more). Choose another one."))
    try:
        with Client(registry.place(), chosen.login() if chosen else None) as client:
            yield client
    except EngineError as error:
        raise failure(error) from error
