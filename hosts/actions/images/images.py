"""What can be done to images: pull, prune."""

import json
import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from hosts import logins, options
from hosts.actions import policing
from hosts.actions.act import calling, demand, host_of
from hosts.actions.asking import Asking
from hosts.engine import pulls
from hosts.engine.refusals import NoPlatform
from hosts.models import Host, Image
from hosts.owning import NO_PLATFORM, Corner, claim_image, is_limited, teams_there
from hosts.quotas.allotting import pulling
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

COUNT_SECONDS = 1.5  # it cannot be cancelled
PRUNE_SECONDS = 600.0  # for an engine to remove what it finds


def start_pull(
    actor: Any,
    host: Host,
    reference: str,
    *,
    account: str | int | None = None,
    platform: str = "",
    all_tags: bool = False,
) -> Job:
    """Starts a job that pulls `reference` (name, :tag or @digest; the tag is `latest` when none is named), or all tags
    of a repository. `account` is as in `logins.choose`."""
    teams = teams_there(actor, Right.IMAGES_MANAGE, host) if is_limited(actor, Right.IMAGES_MANAGE, host) else []
    corner = Corner(host, teams[0] if teams else None)
    demand(actor, Right.IMAGES_MANAGE, corner)
    if platform and teams:
        raise Invalid("platform", NO_PLATFORM)
    found = options.REFERENCE.fullmatch(reference.strip())
    if not found or len(reference) > options.REFERENCE_AT_MOST:
        raise Invalid(
            "reference",
            gettext_noop("This is not an image's name. Examples: nginx, redis:7, registry.example.com/team/app:1.2."),
        )
    name, tag = found["name"], found["digest"] or found["tag"] or "latest"
    params = {"host": host.name, "name": name, "tag": tag, "platform": options.platform("platform", platform)}
    full = f"{name}@{tag}" if found["digest"] else f"{name}:{tag}"
    policing.allow_now(actor, host, "image.pull", full, policing.pull_check(name, "" if all_tags else tag))
    if all_tags:
        if teams:
            raise Invalid("all_tags", gettext_noop("Pull one tag at a time: here you may pull for your team alone."))
        _may_all_tags(host, found)
        full, params["tag"] = name, ""
    return queue.start(
        actor,
        "image.pull",
        host=host.name,
        team=corner.owner_id,
        target=full,
        params={**params, "account": logins.choose(actor, name, account, team=corner.owner_id)},
        locks=[lock(host.name, "image", full)],
    )


def _may_all_tags(host: Host, found: re.Match[str]) -> None:
    if found["tag"] or found["digest"]:
        raise Invalid("reference", gettext_noop("For all tags name the repository alone, without a tag or digest."))
    if host.engine == "Podman":
        raise Invalid(
            "all_tags", gettext_noop("%(host)s runs Podman, which pulls one tag at a time."), {"host": host.name}
        )


def run_pull(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: reports bytes and state of each layer."""
    host, params = host_of(context), context.params
    name, tag = params["name"], params["tag"]
    with calling(context, Right.IMAGES_MANAGE, Corner(host, context.job.team_id), "image.pull") as call:
        policing.allow(context.job.by, [host], policing.pull_check(name, tag))
        login = logins.open_login(context, name, params.get("account"))
        report = _Report(
            context,
            None
            if tag
            else logins.count_tags(
                context.job.by, name, params.get("account"), team=context.job.team_id, seconds=COUNT_SECONDS
            ),
        )
        try:
            with pulling(context.job.team_id, host, context.job.by_name, context.job.target):
                found = pulls.pull(
                    call,
                    name,
                    tag,
                    version=host.spoken_version,
                    report=report.progress,
                    log=context.log,
                    platform=params.get("platform", ""),
                    registry=login.registry,
                    user=login.user,
                    headers=login.headers,
                    tags=report.tags,
                )
            if tag:
                joint = "@" if ":" in tag else ":"
                image = Asking(host, context).image(f"{name}{joint}{tag}") or {}
                claim_image(context.job.by, Corner(host, context.job.team_id), str(image.get("Id") or ""))
            return found
        except NoPlatform as error:
            if error.pulled:
                words = {"name": f"{name}:{tag}", "host": host.name, "platform": error.pulled}
                context.leaves(_("%(name)s for %(platform)s is on %(host)s now.") % words)
            raise


class _Report:
    """`tags`: how many a pull of all tags will bring, if that is known."""

    def __init__(self, context: JobContext, tags: int | None = None) -> None:
        self.context = context
        self.tags = tags
        if tags:
            context.log(_("The registry has %(n)s tags.") % {"n": tags})

    def progress(self, share: float, layers: list[dict[str, Any]]) -> None:
        left = sum(layer["state"] not in {"done", "exists"} for layer in layers)
        self.context.progress(share, _("%(n)s layers left") % {"n": left} if left else "", layers)


def start_prune(actor: Any, host: Host, *, everything: bool = False) -> Job:
    """Starts a job that removes dangling images, or all that no container uses if `everything`."""
    demand(actor, Right.IMAGES_MANAGE, host)
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
    host = host_of(context)
    filters = json.dumps({"dangling": ["false" if context.params["everything"] else "true"]})
    known = set(Image.objects.filter(host=host).values_list("engine_id", flat=True))
    try:
        with calling(context, Right.IMAGES_MANAGE, host, "image.prune") as call:
            call.open(
                "POST",
                "/images/prune",
                {"filters": filters},
                version=host.spoken_version,
                seconds=PRUNE_SECONDS,
            )
            answer = call.read_json(PRUNE_SECONDS) or {}
    except Cancelled:
        context.leaves(_("Images that were removed before it was stopped are gone."))
        raise
    gone = set()
    for entry in answer.get("ImagesDeleted") or []:  # names, images and layers
        for what, name in entry.items():
            context.log(f"{what}: {name}")
            gone.add(f"sha256:{name.removeprefix('sha256:')}")
    return {"images": len(known & gone), "bytes": answer.get("SpaceReclaimed") or 0}
