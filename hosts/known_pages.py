"""The pages of objects that are known by their names or ids alone, as jobs and events tell of them: of what is still there
and may be seen."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.db.models import Q

from hosts.models import Backup, Config, Container, Host, Image, Network, Node, Plugin, Secret, Service, Swarm, Volume
from hosts.pages import page_of, stack_page

TAGGED_AT_MOST = 2000  # images of several names that are looked through


class Ref(NamedTuple):
    """An object: `place` is the name of its host or swarm ("" for any swarm), `key` its name, or its id where `by` says
    so; an image goes by both."""

    noun: str
    place: str
    key: str
    by: str = "name"


Keys = set[tuple[str, str]]  # (place, key)
Find = Callable[[Any, Keys, str], dict[tuple[str, str], str]]  # (user, keys, by) -> address of each that is there


def pages_of(user: Any, refs: Iterable[Ref]) -> dict[Ref, str]:
    """The address of each that is there and that `user` may see; a query or two for each noun."""
    wanted: dict[tuple[str, str], Keys] = {}
    for ref in refs:
        if ref.noun in FINDS and ref.key:
            wanted.setdefault((ref.noun, ref.by), set()).add((ref.place, ref.key))
    return {
        Ref(noun, *key, by): url
        for (noun, by), keys in wanted.items()
        for key, url in FINDS[noun](user, keys, by).items()
        if key in keys
    }


def _both(keys: Keys) -> tuple[set[str], set[str]]:
    return {place for place, _key in keys}, {key for _place, key in keys}


def _on_hosts(model: Any) -> Find:
    def find(user: Any, keys: Keys, by: str) -> dict[tuple[str, str], str]:
        hosts, known = _both(keys)
        rows = model.objects.visible_to(user).filter(host__name__in=hosts, **{f"{by}__in": known})
        columns = {"host", "host__name", by, "name" if model is Volume else "engine_id"}
        return {(row.host.name, getattr(row, by)): page_of(row) for row in rows.select_related("host").only(*columns)}

    return find


def _images(user: Any, keys: Keys, _by: str) -> dict[tuple[str, str], str]:
    """By their first name, their id, or, for those that have several names, by any: an engine uses what was typed."""
    hosts, names = _both(keys)
    rows = Image.objects.visible_to(user).filter(host__name__in=hosts).select_related("host")
    named = Q(name__in=names) | Q(engine_id__in=names)
    tagged = rows.filter(tags__1__isnull=False)[:TAGGED_AT_MOST]
    return {
        (row.host.name, key): page_of(row)
        for row in [*tagged, *rows.filter(named)]
        for key in (row.engine_id, row.name, *row.tags)
    }


def _of_swarms(model: Any) -> Find:
    def find(user: Any, keys: Keys, by: str) -> dict[tuple[str, str], str]:
        swarms, known = _both(keys)
        rows = model.objects.visible_to(user).current().filter(**{f"{by}__in": known}).select_related("swarm")
        rows = rows if "" in swarms else rows.filter(swarm__name__in=swarms)
        pages = {(row.swarm.name, getattr(row, by)): page_of(row) for row in rows}
        return {("", key): url for (_swarm, key), url in pages.items()} | pages

    return find


def _stacks(user: Any, keys: Keys, _by: str) -> dict[tuple[str, str], str]:
    swarms, names = _both(keys)
    rows = Service.objects.visible_to(user).current().filter(swarm__name__in=swarms, stack__in=names)
    there = rows.order_by().values_list("swarm__name", "stack").distinct()
    return {(swarm, name): stack_page(swarm, name) for swarm, name in there}


def _placeless(model: Any) -> Find:
    """Hosts and swarms."""

    def find(user: Any, keys: Keys, _by: str) -> dict[tuple[str, str], str]:
        rows = model.objects.visible_to(user).filter(name__in=_both(keys)[1]).only("name")
        return {("", row.name): page_of(row) for row in rows}

    return find


def _backups(user: Any, keys: Keys, _by: str) -> dict[tuple[str, str], str]:
    known = [int(key) for _place, key in keys if key.isdecimal()]
    there = Backup.kept().visible_to(user).filter(pk__in=known).only("pk")
    return {("", str(row.pk)): page_of(row) for row in there}


FINDS: dict[str, Find] = {
    "host": _placeless(Host),
    "swarm": _placeless(Swarm),
    "container": _on_hosts(Container),
    "image": _images,
    "network": _on_hosts(Network),
    "volume": _on_hosts(Volume),
    "plugin": _on_hosts(Plugin),
    "service": _of_swarms(Service),
    "node": _of_swarms(Node),
    "secret": _of_swarms(Secret),
    "config": _of_swarms(Config),
    "stack": _stacks,
    "backup": _backups,
}
