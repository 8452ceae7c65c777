"""Pushing an image to its registry, under one of its names, under all tags of a repository, or under a name it gets for
this."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from hosts import logins, options
from hosts.actions.act import demand, failure, host_of, recorded
from hosts.actions.asking import Asking
from hosts.engine import pushes
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.models import Host, Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

TAGS_AT_MOST = 1000


def start_push(
    actor: Any,
    image: Image,
    name: str = "",
    *,
    account: str | int | None = None,
    all_tags: bool = False,
    new_name: str = "",
    untag: bool = False,
) -> Job:
    """Starts a job that pushes the image as `name`, one of its names (the first unless given), with `all_tags` all tags
    that its repository has on the host; or as `new_name`, which it gets first, and loses afterwards with `untag`.
    `account` is as in `logins.choose`."""
    demand(actor, Right.IMAGES_MANAGE, image)
    field = "new_name" if new_name.strip() else "name"
    if all_tags and new_name.strip():
        raise Invalid("all_tags", gettext_noop("Under another name one image is pushed, not all tags."))
    wanted = new_name if new_name.strip() else name.strip() or (image.tags[0] if image.tags else "")
    if not wanted:
        raise Invalid("new_name", gettext_noop("The image has no name. Give it one to push it as."))
    repository, tag = options.image_name(field, wanted)
    full = f"{repository}:{tag}"
    if field == "name" and full not in image.tags:
        raise Invalid("name", gettext_noop("The image is not called %(name)s (any more)."), {"name": full})
    params = {
        "host": image.host.name,
        "image": image.engine_id,
        "name": repository,
        "tag": "" if all_tags else tag,
        "new": field == "new_name",
        "untag": untag and field == "new_name",
        "account": logins.choose(actor, repository, account),
    }
    return queue.start(
        actor,
        "image.push",
        host=image.host.name,
        target=repository if all_tags else full,
        params=params,
        locks=[lock(image.host.name, "image", full), lock(image.host.name, "image", image.engine_id)],
    )


def run_push(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: bytes and state of each layer; the digest in the registry."""
    host, params = host_of(context), context.params
    name, tag = params["name"], params["tag"]
    detail = {"id": params["image"], "job": context.job.pk}
    with recorded(context.job.by, Right.IMAGES_MANAGE, host, "image.push", context.job.target, detail=detail):
        login = logins.open_login(context, name, params["account"], always=True)
        if params["new"]:
            with _named(context, host):
                return {"image": f"{name}:{tag}", "digest": _push(context, host, login, tag, 0, 1)}
        tags = [tag] if tag else _tags_of(Asking(host, context), name)
        return _push_all(context, host, login, tags)


def _push_all(context: JobContext, host: Host, login: logins.Opened, tags: list[str]) -> dict[str, Any]:
    name, pushed = context.params["name"], {}
    if not tags:
        sentence = gettext_noop("%(host)s has no image called %(name)s (any more).")
        raise Failure("no_image", 404, sentence, {"host": host.name, "name": name})
    try:
        for n, tag in enumerate(tags):
            pushed[tag] = _push(context, host, login, tag, n, len(tags))
    except BaseException:
        if pushed:
            context.leaves(_("Pushed before: %(tags)s.") % {"tags": ", ".join(pushed)})
        raise
    if len(tags) == 1:
        return {"image": f"{name}:{tags[0]}", "digest": pushed[tags[0]]}
    return {"image": name, "tags": len(tags), "digests": ", ".join(f"{tag} {digest}" for tag, digest in pushed.items())}


def _push(context: JobContext, host: Host, login: logins.Opened, tag: str, before: int, of: int) -> str:
    name = context.params["name"]

    def report(share: float, layers: list[dict[str, Any]]) -> None:
        left = sum(layer["state"] not in {"done", "exists"} for layer in layers)
        words = _("%(tag)s: %(n)s layers left") % {"tag": tag, "n": left} if left else tag
        context.progress((before + share) / of, words, layers)

    with Call(host.endpoint()) as call:
        context.on_cancel(call.end)
        context.check_cancelled()
        try:
            return pushes.push(
                call,
                name,
                tag,
                version=host.spoken_version,
                headers=login.headers,
                report=report,
                log=context.log,
                registry=login.registry,
                user=login.user,
            )
        except EngineError as error:
            context.check_cancelled()  # what was cut off by us did not fail
            raise failure(error) from error


def _tags_of(asking: Asking, name: str) -> list[str]:
    """The tags that a repository has on the host."""
    found = asking.ask("GET", "/images/json") or []
    names = [str(tag) for entry in found for tag in entry.get("RepoTags") or []]
    tags = sorted(tag.removeprefix(f"{name}:") for tag in names if tag.rpartition(":")[0] == name)
    return [tag for tag in tags if "<none>" not in tag][:TAGS_AT_MOST]


# ---------------------------------------------------------------- under another name
@contextmanager
def _named(context: JobContext, host: Host) -> Iterator[None]:
    """The image has the new name while the block runs; it keeps it afterwards unless it is to lose it, or the block
    failed. A name that it had before stays, and one that another image has is not taken from it."""
    params = context.params
    full = f"{params['name']}:{params['tag']}"
    try:
        asking, undoing = Asking(host, context), Asking(host)  # the latter goes on when the job is cancelled
        other = asking.image(full)
        if other and other.get("Id") != params["image"]:
            raise Conflict(
                gettext_noop("Another image of %(host)s is called %(name)s. Choose another name, or untag that one."),
                {"host": host.name, "name": full},
            )
        if other:
            yield
            return
        asking.ask("POST", f"/images/{params['image']}/tag", {"repo": params["name"], "tag": params["tag"]})
    except EngineError as error:
        raise failure(error) from error
    context.log(_("It is now called %(name)s on %(host)s.") % {"name": full, "host": host.name})
    try:
        yield
    except BaseException:
        _untag(context, undoing, full)
        raise
    if params["untag"]:
        _untag(context, undoing, full)


def _untag(context: JobContext, undoing: Asking, full: str) -> None:
    words = {"name": full, "host": undoing.host.name}
    try:
        image = undoing.image(full) or {}
        if len(image.get("RepoTags") or []) < 2:  # with its last name an engine deletes the image
            context.leaves(_("The image is still called %(name)s on %(host)s: it has no other name.") % words)
            return
        undoing.untag(full)
        context.log(_("It is no longer called %(name)s on %(host)s.") % words)
    except EngineError as error:
        context.leaves(_("The image is still called %(name)s on %(host)s: %(why)s") % {**words, "why": error})
