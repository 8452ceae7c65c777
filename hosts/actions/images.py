"""What can be done to images: pull, remove, prune."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure, Invalid
from hosts.actions.act import demand, on_engine, recorded
from hosts.engine import pulls
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.models import Host, Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

PRUNE_SECONDS = 600.0  # for an engine to remove what it finds
# what the engine takes: [registry[:port]/]path[:tag][@digest]
REFERENCE = re.compile(
    r"(?P<name>(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def start_pull(actor: Any, host: Host, reference: str) -> Job:
    """Starts a job that pulls `reference` (name, :tag or @digest; the tag is `latest` when none is named)."""
    demand(actor, Right.IMAGES_MANAGE)
    found = REFERENCE.fullmatch(reference.strip())
    if not found or len(reference) > 400:
        raise Invalid(
            "reference",
            gettext_noop("This is not an image's name. Examples: nginx, redis:7, registry.example.com/team/app:1.2."),
        )
    tag = found["digest"] or found["tag"] or "latest"
    full = f"{found['name']}@{tag}" if found["digest"] else f"{found['name']}:{tag}"
    return queue.start(
        actor,
        "image.pull",
        host=host.name,
        target=full,
        params={"host": host.name, "name": found["name"], "tag": tag},
        locks=[lock(host.name, "image", full)],
    )


def run_pull(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: reports bytes and state of each layer."""
    host = _host(context)
    name, tag = context.params["name"], context.params["tag"]
    with _calling(context, host, "image.pull") as call:
        return pulls.pull(
            call,
            name,
            tag,
            version=host.api_version or "1.41",
            report=_Report(context).progress,
            log=context.log,
        )


@contextmanager
def _calling(context: JobContext, host: Host, action: str) -> Iterator[Call]:
    """A call that ends when the job is cancelled, recorded as an act of who started the job."""
    with recorded(context.job.by, Right.IMAGES_MANAGE, host, action, context.job.target):
        with Call(host.endpoint()) as call:
            context.on_cancel(call.end)
            try:
                yield call
            except EngineError:
                context.check_cancelled()  # what was cut off by us did not fail
                raise


class _Report:
    def __init__(self, context: JobContext) -> None:
        self.context = context

    def progress(self, share: float, layers: list[dict[str, Any]]) -> None:
        left = sum(layer["state"] not in {"done", "exists"} for layer in layers)
        self.context.progress(share, _("%(n)s layers left") % {"n": left} if left else "", layers)


def remove(actor: Any, image: Image, *, force: bool = False) -> None:
    """Removes an image with all its tags; one that a container uses only by `force`, and never while it runs."""
    with on_engine(
        actor, Right.IMAGES_MANAGE, image.host, "image.remove", str(image), timeout=120, detail={"force": force}
    ) as api:
        if len(image.tags) > 1 and not force:
            for tag in image.tags:  # by id the engine refuses an image with several names
                api.remove_image(tag)
        else:
            api.remove_image(image.tags[0] if len(image.tags) == 1 else image.engine_id, force=force)


def start_prune(actor: Any, host: Host, *, everything: bool = False) -> Job:
    """Starts a job that removes dangling images, or all that no container uses if `everything`."""
    demand(actor, Right.IMAGES_MANAGE)
    return queue.start(
        actor,
        "image.prune",
        host=host.name,
        target=gettext_noop("unused images") if everything else gettext_noop("dangling images"),
        params={"host": host.name, "everything": everything},
        locks=[lock(host.name, "images", "prune")],
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. An engine tells no progress, and removes no more once the call has ended."""
    host = _host(context)
    filters = json.dumps({"dangling": ["false" if context.params["everything"] else "true"]})
    known = set(Image.objects.filter(host=host).values_list("engine_id", flat=True))
    with _calling(context, host, "image.prune") as call:
        call.open(
            "POST",
            "/images/prune",
            {"filters": filters},
            version=host.api_version or "1.41",
            seconds=PRUNE_SECONDS,
        )
        answer = call.read_json(PRUNE_SECONDS) or {}
    gone = set()
    for entry in answer.get("ImagesDeleted") or []:  # names, images and layers
        for what, name in entry.items():
            context.log(f"{what}: {name}")
            gone.add(f"sha256:{name.removeprefix('sha256:')}")
    return {"images": len(known & gone), "bytes": answer.get("SpaceReclaimed") or 0}


def _host(context: JobContext) -> Host:
    host = Host.objects.filter(name=context.params["host"]).first()
    if host is None:
        raise Failure("no_host", 404, gettext_noop("The host %(host)s is gone."), {"host": context.params["host"]})
    return host
