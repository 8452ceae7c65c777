"""What the words of a job's target mean, and where they lead.

Plain text are the target of an image prune, which says a rule ("unused images"), and that of a measurement of disk use, which
is about its whole host.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hosts.known_pages import Ref, pages_of
from jobs.links import Links, Piece, Work

NAMES_AT_MOST = 20  # of one target; what comes after them is text


class Words(NamedTuple):
    """A part of a target, and what it means."""

    text: str
    ref: Ref | None = None


Reading = Callable[[Work], list[Words]]


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
    name = str(work.params.get("name") or _result(work).get("name") or "")
    ref = Ref("container", work.host, name) if name else Ref("image", work.host, work.target)
    return [Words(work.target, ref)]


def _result(work: Work) -> dict[str, Any]:
    """What a job has told at its end; a schedule has none."""
    return work.result if hasattr(work, "result") else {}


def _loaded(work: Work) -> list[Words]:
    """A file, which is gone: it leads to the image that was in it, where it was one alone."""
    images = str(_result(work).get("images") or "").split(", ")
    return [Words(work.target, Ref("image", work.host, images[0]) if len(images) == 1 else None)]


def _removed(work: Work) -> list[Words]:
    """Files of backups, of which those that could not be removed are still there."""
    names, keys = work.target.split(", "), work.params.get("backups", [])
    if len(names) != len(keys):
        return [Words(work.target)]
    found = [Words(name, Ref("backup", "", str(key))) for name, key in zip(names, keys, strict=True)]
    return _joined(found[:NAMES_AT_MOST], names[NAMES_AT_MOST:])


def _joining(work: Work) -> list[Words]:
    """host -> swarm (role), or host -> address"""
    host, arrow, other = work.target.partition(" -> ")
    known = bool(work.params.get("swarm"))
    swarm, space, role = other.rpartition(" ") if known else (other, "", "")
    ref = Ref("swarm", "", swarm) if known else None
    return [Words(host, Ref("host", "", host)), Words(arrow), Words(swarm, ref), Words(space + role)]


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
    **{
        f"container.{verb}": _one("container")
        for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "rename", "remove", "update")
    },
    "container.commit": _arrow(_here("container"), _here("image")),
    "containers.bulk": _bulk,
    **{f"files.{verb}": _in_container for verb in ("upload", "write", "make", "rename", "chmod", "delete")},
    "image.pull": _one("image"),
    "image.push": _one("image"),
    "image.build": _one("image"),
    "image.import": _one("image"),
    "image.load": _loaded,
    "image.remove": _one("image"),
    "image.prune_shown": _listed("image"),
    "image.copy": _arrow(_here("image"), lambda _work, name: Ref("host", "", name)),
    "network.prune": _listed("network"),
    "volume.remove": _listed("volume"),
    "volume.create": _one("volume"),
    "volume.delete": _one("volume"),
    "volume.files": _one("volume"),
    **{f"network.{verb}": _one("network") for verb in ("create", "connect", "disconnect", "remove")},
    "image.tag": _one("image"),
    "image.untag": _one("image"),
    "plugin.configure": _one("plugin"),
    "plugin.delete": _one("plugin"),
    "volume.copy": _arrow(_here("volume"), _copied("volume")),
    "volume.backup": _arrow(_here("volume")),
    "volume.restore": _arrow(_backup, _here("volume")),
    "volume.unpack": _arrow(lambda _work, _words: Ref("", "", ""), _here("volume")),
    "backup.remove": _removed,
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
    **{
        f"{noun}.{verb}": _of_swarm(noun)
        for noun in ("secret", "config")
        for verb in ("create", "labels", "remove", "replace")
    },
    **{f"node.{verb}": _of_swarm("node") for verb in ("role", "change", "remove")},
    **{f"swarm.{verb}": _one("swarm") for verb in ("change", "rotate_token", "rotate_unlock_key")},
    "stack.remove": _of_swarm("stack"),
    "system.prune": lambda work: [Words(work.target, Ref("host", "", work.target))],
    "swarm.join": _joining,
    **{
        f"swarm.{verb}": (lambda work: [Words(work.target, Ref("host", "", work.target))])
        for verb in ("init", "leave", "unlock")
    },
    **{
        f"service.{verb}": _of_swarm("service")
        for verb in ("create", "update", "scale", "redeploy", "rollback", "remove")
    },
}


def links_of(user: Any, found: Sequence[Work]) -> list[Links]:
    """For each of them; a query or two for each noun that they name."""
    read = [READINGS[work.kind](work) if work.kind in READINGS else [Words(work.target)] for work in found]
    places = [(Ref("host", "", work.host), Ref("swarm", "", work.host)) for work in found]
    wanted = {ref for words in read for word in words if (ref := word.ref)} | {ref for refs in places for ref in refs}
    urls = pages_of(user, wanted)
    return [
        Links(
            urls.get(host) or urls.get(swarm, ""),
            [Piece(word.text, urls.get(word.ref, "") if word.ref else "") for word in words if word.text],
        )
        for words, (host, swarm) in zip(read, places, strict=True)
    ]
