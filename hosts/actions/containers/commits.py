"""What a container has become, as an image or as a file: commit and export."""

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from hosts import options
from hosts.actions import policing
from hosts.actions.act import calling, demand, host_of, recorded, streamed
from hosts.engine.exports import iter_export
from hosts.models import Container
from hosts.options import REFERENCE
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

COMMIT_SECONDS = 3 * 3600.0
TEXT_AT_MOST = 500


# ---------------------------------------------------------------- commit
def start_commit(
    actor: Any,
    container: Container,
    *,
    image: str,
    message: str = "",
    author: str = "",
    changes: str = "",
    pause: bool = True,
) -> Job:
    """Starts a job that makes `image` (name:tag) of the container as it is now, without its volumes.

    `changes` are lines of a Dockerfile; `pause` freezes the container while its files are read.
    """
    demand(actor, Right.CONTAINERS_OPERATE, container)
    demand(actor, Right.IMAGES_MANAGE, container)
    found = REFERENCE.fullmatch(image.strip())
    if not found or found["digest"] or len(image) > 400:
        raise Invalid("image", gettext_noop("Name the new image like name:tag. Example: team/app:debug."))
    for field, text in (("message", message), ("author", author)):
        if len(text) > TEXT_AT_MOST or not text.isprintable():
            raise Invalid(field, gettext_noop("Write one line of at most %(most)s characters."), {"most": TEXT_AT_MOST})
    full = f"{found['name']}:{found['tag'] or 'latest'}"
    host = container.host.name
    return queue.start(
        actor,
        "container.commit",
        host=host,
        target=f"{container.name} -> {full}",
        params={
            "host": host,
            "container": container.engine_id,
            "repo": found["name"],
            "tag": found["tag"] or "latest",
            "message": message.strip(),
            "author": author.strip(),
            "pause": pause,
        },
        sealed={"changes": options.changes(changes)},  # an ENV may be a password
        locks=[lock(host, "container", container.engine_id), lock(host, "image", full)],
    )


def run_commit(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. An engine tells no progress of a commit, and cannot be asked to stop one."""
    host, params = host_of(context), context.params
    full = f"{params['repo']}:{params['tag']}"
    demand(context.job.by, Right.CONTAINERS_OPERATE, host)
    query = {
        "container": params["container"],
        "repo": params["repo"],
        "tag": params["tag"],
        "comment": params["message"],
        "author": params["author"],
        "pause": "1" if params["pause"] else "0",
    }
    if changes := context.sealed["changes"]:  # an empty one is refused: "file with no instructions"
        query["changes"] = changes
    version = host.spoken_version
    context.progress(0, _("The engine reads the container's files."), now=True)
    try:
        with calling(context, Right.IMAGES_MANAGE, host, "container.commit", image=full) as call:
            policing.allow_made_image(context.job.by, host, "image")
            call.open("POST", "/commit", query, version=version, body={}, seconds=COMMIT_SECONDS)
            answer = call.read_json(COMMIT_SECONDS) or {}
    except Cancelled:
        context.leaves(
            _("An engine cannot be asked to stop a commit: the image %(image)s may still appear.") % {"image": full}
        )
        raise
    return {"image": full, "id": str(answer.get("Id", ""))[:100]}


# ---------------------------------------------------------------- export
def export(actor: Any, container: Container) -> StreamingHttpResponse:
    """The container's root file system as a tar, streamed. Whatever is in it is in the file: who took it is audited."""
    host = container.host
    blocks = iter_export(host.endpoint(), container.engine_id, version=host.api_version)
    with recorded(actor, Right.CONTAINERS_FILES, container, "container.export", container.name):
        return streamed(blocks, f"{container.name}.tar")
