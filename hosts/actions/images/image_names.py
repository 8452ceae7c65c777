"""What an image is called, and its end: tag, untag, remove."""

import json
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts import options
from hosts.actions import policing
from hosts.actions.act import demand, host_of, may_go_on, on_engine, recorded
from hosts.actions.asking import Asking
from hosts.models import Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

REMOVE_SECONDS = 600.0  # for one name of a large image
NAMES_SHOWN = 5


def tag(actor: Any, image: Image, name: str) -> str:
    """Gives the image another name; one that another image has moves to this one. Gives the whole name."""
    repository, its_tag = options.image_name("name", name)
    full = f"{repository}:{its_tag}"
    with on_engine(actor, Right.IMAGES_MANAGE, image.host, "image.tag", full, detail={"id": image.engine_id}) as api:
        policing.allow_made_image(actor, image.host, "name")
        api.tag(image.engine_id, repository, its_tag)
    return full


def untag(actor: Any, image: Image, name: str) -> None:
    """Takes one of several names away. The last one goes with the image: `start_remove`."""
    with on_engine(actor, Right.IMAGES_MANAGE, image.host, "image.untag", name, detail={"id": image.engine_id}) as api:
        names = api.inspect_image(image.engine_id).get("RepoTags") or []
        if name not in names:
            raise Invalid("name", gettext_noop("The image is not called %(name)s (any more)."), {"name": name})
        if len(names) == 1:
            raise Conflict(gettext_noop("%(name)s is its only name. Remove the image instead."), {"name": name})
        api.remove_image(name, noprune=True)


# ---------------------------------------------------------------- remove
class ImageAsker(Asking):
    """What jobs ask of images."""

    def references(self, image: str) -> list[str]:
        """By what an image is called: its names, or its digests when it has no name."""
        inspect = self.ask("GET", f"/images/{image}/json") or {}
        for kind in ("RepoTags", "RepoDigests"):
            if found := [str(name) for name in inspect.get(kind) or [] if "<none>" not in str(name)]:
                return found
        return []

    def users(self, image: str) -> list[str]:
        """The names of the containers that use this very image, running or not."""
        filters = json.dumps({"ancestor": [image]})  # those of images built upon it as well
        found = self.ask("GET", "/containers/json", {"all": "1", "filters": filters}) or []
        return [str((entry.get("Names") or ["?"])[0]).strip("/") for entry in found if entry.get("ImageID") == image]

    def all_names(self) -> dict[str, list[str]]:
        """The names of each image by its id, in order."""
        found = self.ask("GET", "/images/json") or []
        names = {str(entry.get("Id")): entry.get("RepoTags") or [] for entry in found}
        return {image: sorted(str(name) for name in tags if "<none>" not in name) for image, tags in names.items()}

    def all_users(self) -> dict[str, str]:
        """A container that uses it, for each image that is used."""
        found = self.ask("GET", "/containers/json", {"all": "1"}) or []
        return {str(entry.get("ImageID")): str((entry.get("Names") or ["?"])[0]).strip("/") for entry in found}

    def tag(self, image: str, name: str) -> None:
        """Gives it a name."""
        repo, _colon, its_tag = name.rpartition(":")
        self.ask("POST", f"/images/{image}/tag", {"repo": repo, "tag": its_tag})

    def remove(self, name: str, *, force: bool = False) -> list[tuple[str, str]]:
        """Removes by name or id; what the engine says of it: [("Untagged" or "Deleted", name or id)]."""
        path, params = f"/images/{quote(name, safe='/:@')}", {"force": "1" if force else "0"}
        answer = self.ask("DELETE", path, params, seconds=REMOVE_SECONDS)
        return [(str(what), str(which)) for entry in answer or [] for what, which in entry.items()]


def start_remove(actor: Any, image: Image, *, force: bool = False) -> Job:
    """Starts a job that removes the image with all its names. `force`: also when containers that do not run use it."""
    demand(actor, Right.IMAGES_MANAGE, image)
    return queue.start(
        actor,
        "image.remove",
        host=image.host.name,
        target=str(image),
        params={"host": image.host.name, "image": image.engine_id, "force": force},
        locks=[lock(image.host.name, "image", image.engine_id)],
    )


def run_remove(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. Looks who uses it first: an engine would take the names away one by one and refuse the last."""
    host, image, force = host_of(context), context.params["image"], context.params["force"]
    with recorded(context.job.by, Right.IMAGES_MANAGE, host, "image.remove", context.job.target, detail=context.params):
        asker = ImageAsker(host, context)
        references = asker.references(image)
        if not force and (users := asker.users(image)):
            raise Conflict(
                gettext_noop("Containers use this image: %(names)s. Remove them first."),
                {"names": ", ".join(users[:NAMES_SHOWN]) + ("…" if len(users) > NAMES_SHOWN else "")},
            )
        # by id an engine refuses what has several names; by force it takes them all
        return _remove(context, asker, [image] if force else references or [image], force)


def _remove(context: JobContext, asker: ImageAsker, targets: list[str], force: bool) -> dict[str, Any]:
    told = {"Untagged": 0, "Deleted": 0}
    for n, target in enumerate(targets):
        asked = False
        try:
            context.progress(n / len(targets), target)
            asked = True
            for what, name in asker.remove(target, force=force):
                context.log(f"{what}: {name}")
                told[what] = told.get(what, 0) + 1
        except Cancelled:
            if asked:
                may_go_on(context, target)
            if n:
                context.leaves(
                    _("Names that were taken away stay away: %(names)s.") % {"names": ", ".join(targets[:n])}
                )
            raise
    return {"untagged": told["Untagged"], "deleted": told["Deleted"]}
