"""An image from one host to another without a registry: what one engine saves the other one loads, as it comes."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from common.templatetags.ui import filesize_iec
from hosts.actions import policing
from hosts.actions.act import calling, demand, demand_enabled, host_of, may_go_on, recorded
from hosts.actions.images.image_names import ImageAsker
from hosts.engine import image_files as files
from hosts.engine.answers import NotFound
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.models import Host, Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

SENT_SHARE = 0.95  # of the progress; the rest is the other engine's unpacking


def start_copy(actor: Any, image: Image, to: Host | None) -> Job:
    """Starts a job that puts the image, with its names, on the host `to`."""
    demand(actor, Right.IMAGES_MANAGE, image)
    source = image.host
    if to is None:
        raise Invalid("to", gettext_noop("There is no such host. Choose one of the list."))
    if to.pk == source.pk:
        raise Invalid("to", gettext_noop("The image is on this host already. Choose another one."))
    demand(actor, Right.IMAGES_MANAGE, to)
    demand_enabled(to)
    return queue.start(
        actor,
        "image.copy",
        host=source.name,
        to=to.name,
        target=f"{image} -> {to.name}",
        params={"host": source.name, "to": to.name, "image": image.engine_id},
        locks=[lock(name, "image", image.engine_id) for name in (source.name, to.name)],
    )


def run_copy(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. An image that the other host has gets the names that it lacks there, and nothing is sent."""
    source, image = host_of(context), context.params["image"]
    to = host_of(context, "to")
    detail = {"from": source.name, "id": image}
    with (
        calling(context, Right.IMAGES_MANAGE, source, "image.copy", to=to.name) as reading,
        recorded(context.job.by, Right.IMAGES_MANAGE, to, "image.receive", context.job.target, detail=detail),
    ):
        policing.allow_made_image(context.job.by, to, "to")
        inspect = ImageAsker(source, context).ask("GET", f"/images/{image}/json") or {}
        names = [str(name) for name in inspect.get("RepoTags") or [] if "<none>" not in str(name)]
        target = ImageAsker(to, context)
        if _has(target, image):
            return {"sent": 0, "names": ", ".join(_named(context, target, image, names))}
        sent = _send(context, reading, (source, to), names or [image], int(inspect.get("Size") or 0))
        if not _has(target, image):
            context.log(_("The other engine gave it an ID of its own."))
    return {"sent": sent, "names": ", ".join(names)}


def _has(asker: ImageAsker, image: str) -> bool:
    try:
        asker.ask("GET", f"/images/{image}/json")
    except NotFound:
        return False
    return True


def _named(context: JobContext, asker: ImageAsker, image: str, names: list[str]) -> list[str]:
    """Gives the image there the names that it lacks; which these were."""
    context.log(_("The image is there already: nothing was sent."))
    missing = [name for name in names if name not in asker.references(image)]
    for name in missing:
        asker.tag(image, name)
        context.log(_("It is now called %(name)s there.") % {"name": name})
    return missing


def _send(context: JobContext, reading: Call, hosts: tuple[Host, Host], names: list[str], size: int) -> int:
    source, to = hosts
    sent, whole = 0, filesize_iec(size)

    def blocks() -> Iterator[bytes]:
        nonlocal sent
        for block in files.saved(reading, names, version=source.spoken_version):
            yield block
            sent += len(block)
            words = _("%(sent)s of %(size)s sent") % {"sent": filesize_iec(sent), "size": whole}
            context.progress(SENT_SHARE * min(1.0, sent / size) if size else 0, words)
        words = _("%(host)s unpacks the image.") % {"host": to.name}
        context.progress(SENT_SHARE, words, now=True)

    context.progress(0, _("%(host)s packs the image.") % {"host": source.name}, now=True)
    with Call(to.endpoint()) as writing:
        context.on_cancel(writing.end)
        try:
            for name in files.load(writing, blocks(), version=to.spoken_version):
                context.log(name)
        except (EngineError, Cancelled):
            if context.cancelled and context.job.progress >= SENT_SHARE:  # the other engine has it all
                may_go_on(context, f"{', '.join(names)} · {to.name}")
            context.check_cancelled()
            raise
    return sent
