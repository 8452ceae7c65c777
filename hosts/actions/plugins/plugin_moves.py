"""Plugins on their way: made from a tar that somebody sends, pushed to a registry."""

from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Conflict, Invalid
from common.templatetags.ui import filesize_iec
from hosts import logins, options
from hosts.actions.act import calling, demand, host_of, may_go_on
from hosts.engine import pushes
from hosts.models import Host, Plugin
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

BLOCK = 256 * 1024
CREATE_SECONDS = 900.0
SENT_SHARE = 0.9


# ---------------------------------------------------------------- create
def start_create(actor: Any, host: Host, name: str, upload: Any) -> Job:
    """Starts a job that makes a plugin of a tar with config.json and rootfs/."""
    demand(actor, Right.PLUGINS_MANAGE, host)
    if host.engine == "Podman":
        raise Conflict(gettext_noop("%(host)s runs Podman, which has no managed plugins."), {"host": host.name})
    repo, tag = options.image_name("name", name)
    if upload is None or not upload.size:
        raise Invalid("file", gettext_noop("Choose a file that is not empty."))
    full = f"{repo}:{tag}"
    return queue.start(
        actor,
        "plugin.create",
        host=host.name,
        target=full,
        params={"host": host.name, "name": full, "upload": uploads.keep(upload), "size": upload.size},
        locks=[lock(host.name, "plugin", full)],
    )


def run_create(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the file is dropped whatever becomes of it."""
    host, params = host_of(context), context.params
    try:
        place, size = uploads.place_of(params["upload"]), max(1, params["size"])

        def blocks() -> Any:
            sent = 0
            with place.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block
                    sent += len(block)
                    words = {"sent": filesize_iec(sent), "size": filesize_iec(size)}
                    context.progress(SENT_SHARE * sent / size, _("%(sent)s of %(size)s sent") % words)

        with calling(context, Right.PLUGINS_MANAGE, host, "plugin.create") as call:
            path = f"/plugins/create?{urlencode({'name': params['name']})}"
            call.open("POST", path, version=host.spoken_version, blocks=blocks(), seconds=CREATE_SECONDS)
            call.read_json(CREATE_SECONDS)
    except Cancelled:
        if context.job.progress >= SENT_SHARE:  # the engine has the whole file
            may_go_on(context, params["name"])
        raise
    finally:
        uploads.drop(params["upload"])
    return {"plugin": params["name"]}


# ---------------------------------------------------------------- push
def start_push(actor: Any, plugin: Plugin, *, account: str | int | None = None) -> Job:
    """Starts a job that pushes the plugin to the registry that its name says. `account` is as in `logins.choose`."""
    demand(actor, Right.PLUGINS_MANAGE, plugin)
    host = plugin.host.name
    return queue.start(
        actor,
        "plugin.push",
        host=host,
        target=plugin.name,
        params={"host": host, "name": plugin.name, "account": logins.choose(actor, plugin.name, account)},
        locks=[lock(host, "plugin", plugin.name)],
    )


def run_push(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: bytes and state of each layer; the digest in the registry."""
    host, full = host_of(context), context.params["name"]
    name, _colon, tag = full.rpartition(":")
    with calling(context, Right.PLUGINS_MANAGE, host, "plugin.push") as call:
        login = logins.open_login(context, full, context.params["account"], always=True)
        digest = pushes.push(
            call,
            name,
            tag,
            what="plugins",
            version=host.spoken_version,
            headers=login.headers,
            report=lambda share, layers: context.progress(share, "", layers),
            log=context.log,
            registry=login.registry,
            user=login.user,
        )
    return {"plugin": full, "digest": digest}
