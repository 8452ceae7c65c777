"""What the words of a job's target mean, and the pages of what is still there."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Q

from hosts.models import Backup, Config, Container, Host, Image, Network, Plugin, Secret, Service, Swarm, Volume
from hosts.pages import page_of, stack_page
from jobs.links import Links, Piece, Work

NAMES_AT_MOST = 20  # of one target; what comes after them is text
TAGGED_AT_MOST = 2000  # images of several names that are looked through


class Ref(NamedTuple):
    """An object: `place` is the name of its host or swarm."""

    noun: str
    place: str
    key: str


class Words(NamedTuple):
    """A part of a target, and what it means."""

    text: str
    ref: Ref | None = None


Reading = Callable[[Work], list[Words]]
Urls = dict[tuple[str, str], str]  # (place, key) -> address


# ---------------------------------------------------------------- what a target says
def _one(noun: str) -> Reading:
    return lambda work: [Words(work.target, Ref(noun, work.host, work.target))]


def _listed(noun: str) -> Reading:
    """a, b, c: of the job's host."""

    def read(work: Work) -> list[Words]:
        names = work.target.split(", ")
        found = [Words(name, Ref(noun, work.host, name)) for name in names[:NAMES_AT_MOST]]
        return _joined(found, names[NAMES_AT_MOST:])

    return read


def _joined(found: list[Words], rest: list[str]) -> list[Words]:
    words = [word for one in found for word in (one, Words(", "))][:-1]
    return [*words, *(Words(f", {name}") for name in rest)]


def _arrow(left: Callable[[Work, str], Ref], right: Callable[[Work, str], Ref] | None = None) -> Reading:
    """left -> right"""

    def read(work: Work) -> list[Words]:
        first, arrow, second = work.target.partition(" -> ")
        return [Words(first, left(work, first)), Words(arrow), Words(second, right(work, second) if right else None)]

    return read


def _here(noun: str) -> Callable[[Work, str], Ref]:
    return lambda work, name: Ref(noun, work.host, name)


def _copied(noun: str) -> Callable[[Work, str], Ref]:
    """HOST/NAME"""
    return lambda _work, words: Ref(noun, *words.split("/", 1)) if "/" in words else Ref(noun, "", "")


def _backup(work: Work, _words: str) -> Ref:
    return Ref("backup", "", str(work.params.get("backup")))


def _made(work: Work) -> list[Words]:
    """A container without a name of its own goes by its image's."""
    result = work.result if hasattr(work, "result") else {}
    name = str(work.params.get("name") or result.get("name") or "")
    ref = Ref("container", work.host, name) if name else Ref("image", work.host, work.target)
    return [Words(work.target, ref)]


def _bulk(work: Work) -> list[Words]:
    """verb: a, b, c"""
    verb, colon, names = work.target.partition(": ")
    targets = [target for target in work.params.get("targets", []) if len(target) == 3]
    if ", ".join(name for _host, _id, name in targets)[: len(names)] != names:
        return [Words(work.target)]
    shown = names.split(", ")
    whole = [Words(name, Ref("container", host, name)) for host, _id, name in targets[:NAMES_AT_MOST]]
    return [Words(verb + colon), *_joined(whole[: len(shown)], shown[NAMES_AT_MOST:])]


def _in_container(work: Work) -> list[Words]:
    """container:/folder"""
    name, colon, folder = work.target.partition(":")
    return [Words(name, Ref("container", work.host, name)), Words(colon + folder)]


def _of_swarm(noun: str) -> Reading:
    """SWARM/NAME"""

    def read(work: Work) -> list[Words]:
        swarm, slash, name = work.target.partition("/")
        return [Words(swarm, Ref("swarm", "", swarm)), Words(slash), Words(name, Ref(noun, swarm, name))]

    return read


READINGS: dict[str, Reading] = {
    "container.create": _made,
    "container.recreate": _one("container"),
    "container.put_back": _one("container"),
    "container.prune": _listed("container"),
    "container.commit": _arrow(_here("container"), _here("image")),
    "containers.bulk": _bulk,
    "files.upload": _in_container,
    "image.pull": _one("image"),
    "image.push": _one("image"),
    "image.build": _one("image"),
    "image.import": _one("image"),
    "image.remove": _one("image"),
    "image.prune_shown": _listed("image"),
    "image.copy": _arrow(_here("image"), lambda _work, name: Ref("host", "", name)),
    "network.prune": _listed("network"),
    "volume.remove": _listed("volume"),
    "volume.copy": _arrow(_here("volume"), _copied("volume")),
    "volume.backup": _arrow(_here("volume")),
    "volume.restore": _arrow(_backup, _here("volume")),
    "volume.unpack": _arrow(lambda _work, _words: Ref("", "", ""), _here("volume")),
    "backup.check": lambda work: [Words(work.target, _backup(work, ""))],
    "plugin.create": _one("plugin"),
    "plugin.push": _one("plugin"),
    "plugin.install": lambda work: [
        Words(work.target, Ref("plugin", work.host, work.params.get("name") or work.target))
    ],
    "plugin.look": _one("plugin"),
    "plugin.upgrade": _arrow(_here("plugin")),
    "plugin.enable": _one("plugin"),
    "plugin.disable": _one("plugin"),
    "secret.replace": _one("secret"),
    "config.replace": _one("config"),
    "stack.remove": _of_swarm("stack"),
    "system.prune": lambda work: [Words(work.target, Ref("host", "", work.target))],
    **{
        f"swarm.{verb}": (lambda work: [Words(work.target, Ref("host", "", work.target))])
        for verb in ("init", "leave", "unlock")
    },
    **{f"service.{verb}": _of_swarm("service") for verb in ("create", "update", "scale", "redeploy", "rollback")},
}


def links_of(user: Any, found: Sequence[Work]) -> list[Links]:
    """For each of them; a query or two for each noun that they name."""
    read = [READINGS[work.kind](work) if work.kind in READINGS else [Words(work.target)] for work in found]
    places = [(Ref("host", "", work.host), Ref("swarm", "", work.host)) for work in found]
    wanted = {ref for words in read for word in words if (ref := word.ref) and ref.key}
    wanted |= {ref for refs in places for ref in refs if ref.key}
    urls: dict[Ref, str] = {}
    for noun in {ref.noun for ref in wanted} & PAGES.keys():
        some = {(ref.place, ref.key) for ref in wanted if ref.noun == noun}
        urls |= {Ref(noun, *key): url for key, url in PAGES[noun](user, some).items() if key in some}
    return [
        Links(
            urls.get(host) or urls.get(swarm, ""),
            [Piece(word.text, urls.get(word.ref, "") if word.ref else "") for word in words if word.text],
        )
        for words, (host, swarm) in zip(read, places, strict=True)
    ]


# ---------------------------------------------------------------- what is there
def _on_hosts(model: Any) -> Callable[[Any, set[tuple[str, str]]], Urls]:
    def urls(user: Any, wanted: set[tuple[str, str]]) -> Urls:
        hosts, names = _both(wanted)
        rows = model.objects.visible_to(user).filter(host__name__in=hosts, name__in=names).select_related("host")
        return {(row.host.name, row.name): page_of(row) for row in rows}

    return urls


def _both(wanted: Iterable[tuple[str, str]]) -> tuple[set[str], set[str]]:
    return {place for place, _key in wanted}, {key for _place, key in wanted}


def _images(user: Any, wanted: set[tuple[str, str]]) -> Urls:
    """By their first name, their id, or, for those that have several names, by any."""
    hosts, names = _both(wanted)
    rows = Image.objects.visible_to(user).filter(host__name__in=hosts).select_related("host")
    named = Q(name__in=names) | Q(engine_id__in=names)
    tagged = rows.filter(tags__1__isnull=False)[:TAGGED_AT_MOST]
    return {
        (row.host.name, key): page_of(row)
        for row in [*tagged, *rows.filter(named)]
        for key in (row.engine_id, row.name, *row.tags)
    }


def _of_swarms(model: Any) -> Callable[[Any, set[tuple[str, str]]], Urls]:
    def urls(user: Any, wanted: set[tuple[str, str]]) -> Urls:
        swarms, names = _both(wanted)
        rows = model.objects.visible_to(user).current().filter(swarm__name__in=swarms, name__in=names)
        return {(row.swarm.name, row.name): page_of(row) for row in rows.select_related("swarm")}

    return urls


def _stacks(user: Any, wanted: set[tuple[str, str]]) -> Urls:
    swarms, names = _both(wanted)
    rows = Service.objects.visible_to(user).current().filter(swarm__name__in=swarms, stack__in=names)
    there = rows.order_by().values_list("swarm__name", "stack").distinct()
    return {(swarm, name): stack_page(swarm, name) for swarm, name in there}


def _known_as(model: Any) -> Callable[[Any, set[tuple[str, str]]], Urls]:
    """Hosts and swarms, which have no place."""

    def urls(user: Any, wanted: set[tuple[str, str]]) -> Urls:
        rows = model.objects.visible_to(user).filter(name__in=_both(wanted)[1]).only("name")
        return {("", row.name): page_of(row) for row in rows}

    return urls


def _backups(user: Any, wanted: set[tuple[str, str]]) -> Urls:
    keys = [int(key) for _place, key in wanted if key.isdecimal()]
    there = Backup.kept().visible_to(user).filter(pk__in=keys).only("pk")
    return {("", str(row.pk)): page_of(row) for row in there}


PAGES: dict[str, Callable[[Any, set[tuple[str, str]]], Urls]] = {
    "host": _known_as(Host),
    "swarm": _known_as(Swarm),
    "container": _on_hosts(Container),
    "image": _images,
    "network": _on_hosts(Network),
    "volume": _on_hosts(Volume),
    "plugin": _on_hosts(Plugin),
    "service": _of_swarms(Service),
    "secret": _of_swarms(Secret),
    "config": _of_swarms(Config),
    "stack": _stacks,
    "backup": _backups,
}
