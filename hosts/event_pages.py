"""Where the names of events lead: to the page of what is still there."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q

from hosts.models import Config, Container, Event, Image, Network, Node, Plugin, Secret, Service, Volume
from hosts.pages import page_of

Urls = dict[tuple[int, str], str]  # (host's key, or 0 for a swarm's, id or name) -> address


def pages_of(user: Any, events: Iterable[Event]) -> dict[int, str]:
    """Key of an event -> the address of what it is about, for what `user` may see; a query or two for each kind."""
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event.kind, []).append(event)
    found: dict[int, str] = {}
    for kind, some in kinds.items():
        urls = PAGES[kind](user, some) if kind in PAGES else {}
        for event in some:
            url = urls.get((event.host_id, event.actor_id)) or urls.get((0, event.actor_id))
            if url:
                found[event.pk] = url
    return found


def _on_hosts(model: Any, *, by: str = "engine_id") -> Callable[[Any, list[Event]], Urls]:
    def urls(user: Any, events: list[Event]) -> Urls:
        ids, hosts = {event.actor_id for event in events}, {event.host_id for event in events}
        rows = model.objects.visible_to(user).filter(host__in=hosts, **{f"{by}__in": ids}).select_related("host")
        found: Urls = {}
        for row in rows.only("host__name", "host", by):
            found[row.host_id, getattr(row, by)] = page_of(row)
        return found

    return urls


def _images(user: Any, events: list[Event]) -> Urls:
    """An engine tells of an image by its id or by the name that was used."""
    ids, hosts = {event.actor_id for event in events}, {event.host_id for event in events}
    wanted = Q(engine_id__in=ids) | Q(name__in=ids)
    found: Urls = {}
    for row in Image.objects.visible_to(user).filter(wanted, host__in=hosts).select_related("host"):
        found |= {(row.host_id, row.engine_id): page_of(row), (row.host_id, row.name): page_of(row)}
    return found


def _in_swarms(model: Any) -> Callable[[Any, list[Event]], Urls]:
    def urls(user: Any, events: list[Event]) -> Urls:
        ids = {event.actor_id for event in events}
        rows = model.objects.visible_to(user).current().filter(engine_id__in=ids).select_related("swarm")
        return {(0, row.engine_id): page_of(row) for row in rows}

    return urls


PAGES: dict[str, Callable[[Any, list[Event]], Urls]] = {
    "container": _on_hosts(Container),
    "image": _images,
    "network": _on_hosts(Network),
    "volume": _on_hosts(Volume, by="name"),
    "plugin": _on_hosts(Plugin),
    "service": _in_swarms(Service),
    "node": _in_swarms(Node),
    "secret": _in_swarms(Secret),
    "config": _in_swarms(Config),
}
