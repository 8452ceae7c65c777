"""A volume's content into a new volume of the same or another host: what one engine reads the other one writes, as it comes."""

from contextlib import nullcontext
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure, Invalid
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.volumes import holds
from hosts.actions.volumes.new_volumes import check_new
from hosts.actions.volumes.work import VolumeWork
from hosts.engine import parse
from hosts.engine.archives import Recast
from hosts.engine.volume_helpers import Helper
from hosts.models import Host, Volume
from hosts.owning import Corner
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

SENT_SHARE = 0.6  # of the progress; then what arrived is read and compared
ANONYMOUS = "com.docker.volume.anonymous"  # a prune takes such volumes
OWNERS = ("com.docker.compose.", "com.docker.stack.", "io.podman.compose.")  # who takes volumes away by their labels


def start_copy(actor: Any, volume: Volume, to: Host | None, name: str, *, stop: bool = False) -> Job:
    """Starts a job that makes the volume `name` with the same content on the host `to`. `stop`: containers that use the
    original are stopped while it is read. It belongs to the team whose the original is."""
    demand(actor, Right.VOLUMES_MANAGE, volume)
    if stop:
        demand(actor, Right.CONTAINERS_OPERATE, volume)
    if to is None:
        raise Invalid("to", gettext_noop("There is no such host. Choose one of the list."))
    check_new(actor, Corner(to, volume.owner_id), name, field="name", action="volume.copy")
    source = volume.host
    return queue.start(
        actor,
        "volume.copy",
        host=source.name,
        to=to.name,
        team=volume.owner_id,
        target=f"{volume.name} -> {to.name}/{name}",
        params={"host": source.name, "volume": volume.name, "to": to.name, "name": name, "stop": stop},
        locks=[lock(source.name, "volume", volume.name), lock(to.name, "volume", name)],
    )


def run_copy(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. What arrived is read again and compared; unless it is the same, the new volume goes."""
    source = VolumeWork(context, host_of(context), context.params["volume"])
    to = VolumeWork(context, host_of(context, "to"), context.params["name"])
    detail = {"to": to.host.name, "name": to.volume}
    with recorded(context.job.by, Right.VOLUMES_MANAGE, source.place, "volume.copy", source.volume, detail=detail):
        about = source.asker.look(source.volume)
        labels = _labels(parse.labels_of(about.get("Labels")), stays=to.volume == source.volume)
        sent = Recast(top=to.top, devices="kept")
        with (
            holds.filling(context, to.host, to.volume, labels=labels),
            holds.helper(context, source.host, source.volume, read_only=True) as reading,
            holds.helper(context, to.host, to.volume) as writing,
        ):
            users = holds.stopped_users(context, source.host, source.volume)
            with users if context.params["stop"] else nullcontext(), source.reading(sent, reading) as blocks:
                to.write(writing, source.told(blocks, (0, SENT_SHARE), source.size, _("%(size)s sent")))
            _compare(to, sent, writing)
        context.progress(1, "", now=True)
    if about.get("Options"):
        context.log(_("The new volume is a plain one of the engine: options of the driver were not carried over."))
    return {"bytes": sent.size, "entries": sent.entries + sent.sum.has_top}


def _labels(labels: dict[str, str], *, stays: bool) -> dict[str, str]:
    """Those of the new volume. Under another name it is nobody's: who removes a stack would remove the copy with it."""
    return {key: value for key, value in labels.items() if key != ANONYMOUS and (stays or not key.startswith(OWNERS))}


def _compare(to: VolumeWork, sent: Recast, helper: Helper) -> None:
    """Reads what arrived. Raises Failure when it is not what was sent."""
    context, told = to.context, {"name": to.volume, "host": to.host.name}
    if not to.is_filled(sent, (SENT_SHARE, 1), helper, devices=True):
        words = gettext_noop(
            "What arrived in %(name)s is not what was sent, and was removed: something wrote to it, or a disk is broken."
        )
        raise Failure("not_the_same", 502, words, told)
    words = _("Names, content, owners, modes, links and hard links of %(n)s entries were read again and are the same.")
    context.log(words % {"n": sent.entries + sent.sum.has_top})
    if sent.sum.capabilities and to.podman:
        words = _(
            "%(n)s files have capabilities: they were sent, but %(host)s (Podman) does not tell whether they arrived."
        )
        context.log(words % {"n": sent.sum.capabilities, **told})
