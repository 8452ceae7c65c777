"""Where the names of events lead: to the page of what is still there."""

from collections.abc import Iterable
from typing import Any

from hosts import known_pages
from hosts.known_pages import Ref
from hosts.models import Event

OF_SWARMS = {"service", "node", "secret", "config"}
KINDS = {"container", "image", "network", "volume", "plugin"} | OF_SWARMS


def pages_of(user: Any, events: Iterable[Event]) -> dict[int, str]:
    """Key of an event -> the address of what it is about, for what `user` may see; a query or two for each kind."""
    refs = {event.pk: _ref(event) for event in events if event.kind in KINDS}
    urls = known_pages.pages_of(user, refs.values())
    return {pk: urls[ref] for pk, ref in refs.items() if ref in urls}


def _ref(event: Event) -> Ref:
    """An engine tells of a volume by its name, of an image by its id or the name that was used, of all else by its id."""
    place = "" if event.kind in OF_SWARMS else event.host.name
    return Ref(event.kind, place, event.actor_id, "name" if event.kind == "volume" else "engine_id")
