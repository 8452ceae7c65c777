"""A volume's content into a new volume of the same or another host: what one engine reads the other one writes, as it comes."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from common.templatetags.ui import filesize_iec
from hosts.actions.act import calling, demand, host_of, recorded
from hosts.actions.volumes import holds
from hosts.actions.volumes.volume_removals import VolumeAsker
from hosts.engine import parse, volume_tars
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.engine.volume_helpers import Helper
from hosts.engine.volume_tars import Content
from hosts.models import Host, Volume
from hosts.volume_plan import NAME, NOT_A_NAME
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

SENT_SHARE = 0.6  # of the progress; then what arrived is read and compared
ANONYMOUS = "com.docker.volume.anonymous"  # a prune takes such volumes
OWNERS = ("com.docker.compose.", "com.docker.stack.", "io.podman.compose.")  # who takes volumes away by their labels


def start_copy(actor: Any, volume: Volume, to: Host | None, name: str, *, stop: bool = False) -> Job:
    """Starts a job that makes the volume `name` with the same content on the host `to`. `stop`: containers that use the
    original are stopped while it is read."""
    demand(actor, Right.VOLUMES_MANAGE)
    if stop:
        demand(actor, Right.CONTAINERS_OPERATE)
    if to is None:
        raise Invalid("to", gettext_noop("There is no such host. Choose one of the list."))
    if not to.enabled:
        raise Conflict("The host %(host)s is disabled. Enable it first.", {"host": to.name})
    if not NAME.fullmatch(name):
        raise Invalid("name", NOT_A_NAME)
    if Volume.objects.filter(host=to, name=name).exists():
        words = gettext_noop("There is a volume called %(name)s on %(host)s already. Choose another name.")
        raise Invalid("name", words, {"name": name, "host": to.name})
    source = volume.host
    return queue.start(
        actor,
        "volume.copy",
        host=source.name,
        target=f"{volume.name} -> {to.name}/{name}",
        params={"host": source.name, "volume": volume.name, "to": to.name, "name": name, "stop": stop},
        locks=[lock(source.name, "volume", volume.name), lock(to.name, "volume", name)],
    )


def run_copy(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. What arrived is read again and compared; unless it is the same, the new volume goes."""
    source, to = host_of(context), host_of(context, "to")
    volume, name = context.params["volume"], context.params["name"]
    detail = {"to": to.name, "name": name}
    with recorded(context.job.by, Right.VOLUMES_MANAGE, source, "volume.copy", volume, detail=detail):
        about = VolumeAsker(source, context).look(volume)
        labels = _labels(parse.labels_of(about.get("Labels")), stays=name == volume)
        with (
            holds.filling(context, to, name, labels=labels),
            holds.helper(context, source, volume, read_only=True) as reading,
            holds.helper(context, to, name) as writing,
        ):
            with holds.stopped_users(context, source, volume) if context.params["stop"] else nullcontext():
                sent = _send(context, (source, reading), (to, writing))
            _compare(context, to, writing, sent, name)
        context.progress(1, "", now=True)
    if about.get("Options"):
        context.log(_("The new volume is a plain one of the engine: options of the driver were not carried over."))
    return {"bytes": sent.bytes, "entries": sent.entries}


def _labels(labels: dict[str, str], *, stays: bool) -> dict[str, str]:
    """Those of the new volume. Under another name it is nobody's: who removes a stack would remove the copy with it."""
    return {key: value for key, value in labels.items() if key != ANONYMOUS and (stays or not key.startswith(OWNERS))}


def _send(context: JobContext, source: tuple[Host, Helper], to: tuple[Host, Helper]) -> Content:
    (host, reading), (other, writing) = source, to
    content, name = Content(), context.params["volume"]
    size = Volume.objects.filter(host=host, name=name).values_list("size", flat=True).first() or 0
    with calling(context, Right.VOLUMES_MANAGE, host, "volume.read") as call, Call(other.endpoint()) as putting:
        context.on_cancel(putting.end)
        blocks = _told(context, volume_tars.read(call, reading, content, to=writing), content, size)
        with recorded(context.job.by, Right.VOLUMES_MANAGE, other, "volume.write", context.params["name"]):
            try:
                volume_tars.write(putting, writing, blocks, content)
            except EngineError:
                context.check_cancelled()  # what was cut off by us did not fail
                raise
    return content


def _told(context: JobContext, blocks: Iterator[bytes], content: Content, size: int) -> Iterator[bytes]:
    whole = filesize_iec(size)
    for block in blocks:
        yield block
        words = _("%(sent)s of about %(size)s sent") if size else _("%(sent)s sent")
        share = min(1.0, content.bytes / size) if size else 0
        context.progress(SENT_SHARE * share, words % {"sent": filesize_iec(content.bytes), "size": whole})


def _compare(context: JobContext, host: Host, helper: Helper, sent: Content, name: str) -> None:
    """Reads what arrived. Raises Failure when it is not what was sent."""
    found, whole = Content(sent), filesize_iec(sent.bytes)
    with calling(context, Right.VOLUMES_MANAGE, host, "volume.compare") as call:
        for _block in volume_tars.read(call, helper, found):
            share = min(1.0, found.bytes / max(1, sent.bytes))
            words = _("%(read)s of %(size)s compared") % {"read": filesize_iec(found.bytes), "size": whole}
            context.progress(SENT_SHARE + (1 - SENT_SHARE) * share, words)
    if not found.is_same(sent, capabilities=not helper.runs):
        words = gettext_noop(
            "What arrived in %(name)s is not what was sent, and was removed: something wrote to it, or a disk is broken."
        )
        raise Failure("not_the_same", 502, words, {"name": name})
    words = _("Names, content, owners, modes, links and hard links of %(n)s entries were read again and are the same.")
    context.log(words % {"n": found.entries})
    if sent.capabilities and helper.runs:
        words = _(
            "%(n)s files have capabilities: they were sent, but %(host)s (Podman) does not tell whether they arrived."
        )
        context.log(words % {"n": sent.capabilities, "host": host.name})
