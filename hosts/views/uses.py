"""Who uses the rows of a page: the first few containers of each row, and how many there are."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from hosts.models import Container, Image, Network, Use, Volume

SHOWN = 4
USERS_AT_MOST = 200  # on an image's own page


@dataclass(frozen=True)
class User:
    """A container that uses a row."""

    name: str
    engine_id: str


@dataclass
class Users:
    """The first SHOWN users of a row by name, and how many there are in all."""

    shown: list[User]
    count: int = 0

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.shown)


def add_image_users(user: Any, images: list[Image]) -> None:
    """Sets `users` (a Users) on each image."""
    rows = Container.objects.visible_to(user).filter(
        host__in={image.host_id for image in images}, image_id__in={image.engine_id for image in images}
    )
    _add(images, "engine_id", _first(rows, "image_id", "name", "engine_id"))


def users_of_image(user: Any, image: Image) -> dict[str, Any]:
    """`containers`, the first USERS_AT_MOST of those that use it, and their `count`."""
    rows = Container.objects.visible_to(user).filter(host=image.host_id, image_id=image.engine_id).order_by("name")
    return {"containers": rows[:USERS_AT_MOST], "count": rows.count()}


def add_users(user: Any, noun: str, things: list[Network] | list[Volume]) -> None:
    """Sets `users` (a Users) on each network or volume (`noun`)."""
    rows = Use.objects.filter(
        noun=noun,
        host__in={thing.host_id for thing in things},
        name__in={thing.name for thing in things},
        container__in=Container.objects.visible_to(user),
    )
    _add(things, "name", _first(rows, "name", "container__name", "container__engine_id"))


def _first(rows: QuerySet[Any], key: str, name: str, engine_id: str) -> QuerySet[Any, tuple[Any, ...]]:
    """(host, key, name, engine id, count) of the first few rows of each host and key: the database counts, so that
    a network of 10,000 containers costs four rows."""
    same = [F("host_id"), F(key)]
    return (
        rows.annotate(
            place=Window(RowNumber(), partition_by=same, order_by=[name, engine_id]),
            count=Window(Count("pk"), partition_by=same),
        )
        .filter(place__lte=SHOWN)
        .order_by(name, engine_id)
        .values_list("host_id", key, name, engine_id, "count")
    )


def _add(things: list[Any], key: str, found: QuerySet[Any, tuple[Any, ...]]) -> None:
    users: dict[tuple[int, str], Users] = {}
    for host_id, value, name, engine_id, count in found:
        entry = users.setdefault((host_id, value), Users([]))
        entry.shown.append(User(name, engine_id))
        entry.count = count
    for thing in things:
        thing.users = users.get((thing.host_id, getattr(thing, key)), Users([]))
