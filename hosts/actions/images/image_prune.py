"""Removes images that nobody uses: exactly those that somebody was shown, as far as they are still as they were shown.

An engine's own prune takes whatever fits by the time it is asked; it is what `images.start_prune` and schedules use.
"""

from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from hosts.actions import removals
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.images.image_names import ImageAsker
from hosts.engine.answers import Conflict, NotFound
from hosts.models import Host, Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext


def start_prune_of(
    actor: Any, host: Host, images: list[Image], shown: dict[str, list[str]], *, rule: dict[str, Any] | None = None
) -> Job:
    """Starts a job that removes these images of one host. `shown` are the names that each had when somebody looked;
    where it says none, those that it has now. By the `rule` that made the list goes a schedule of the job."""
    demand(actor, Right.IMAGES_MANAGE, host)
    removals.check_number(
        images,
        none=gettext_noop("There is no image to remove."),
        too_many=gettext_noop("At most %(most)s images at once."),
    )
    # children first: an engine keeps what another image is built upon
    images = sorted(images, key=lambda image: (image.created is not None, image.created, image.pk), reverse=True)
    return queue.start(
        actor,
        "image.prune_shown",
        host=host.name,
        target=", ".join(str(image) for image in images),
        params={
            "host": host.name,
            "targets": [
                [image.engine_id, sorted(shown.get(image.engine_id, image.tags)), image.size] for image in images
            ],
            "rule": rule,
        },
        locks=[lock(host.name, "images", "prune"), *(lock(host.name, "image", image.engine_id) for image in images)],
    )


def run_prune_of(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other. What is used, or called otherwise, by now is kept, and said."""
    host, targets = host_of(context), context.params["targets"]
    actor, target = context.job.by, context.job.target
    with recorded(actor, Right.IMAGES_MANAGE, host, "image.prune", target, detail={"n": len(targets)}):
        remover = ImageRemover(host, context)
        gone = removals.one_by_one(
            context,
            [", ".join(tags) or image for image, tags, _size in targets],
            [partial(remover.remove_shown, image, tags) for image, tags, _size in targets],
        )
    size = sum(size for (_image, _tags, size), went in zip(targets, gone, strict=True) if went)
    return {"images": sum(gone), "kept": gone.count(False), "size": size}


class ImageRemover(ImageAsker):
    """Removes images that are still as they were shown, as a job. What the engine has is asked once."""

    def __init__(self, host: Host, context: JobContext) -> None:
        super().__init__(host, context)
        self._there: dict[str, list[str]] | None = None
        self._used: dict[str, str] = {}

    def remove_shown(self, image: str, tags: list[str]) -> str:
        """Removes it; why not, "" when it is gone."""
        if self._there is None:
            self._there, self._used = self.all_names(), self.all_users()
        return self._changed(image, tags, self._there) or self._removed(image)

    def _changed(self, image: str, tags: list[str], there: dict[str, list[str]]) -> str:
        """What is different from what was shown; "" for nothing."""
        if image not in there:
            return _("gone already")
        if image in self._used:
            return _("kept: the container %(name)s uses it now") % {"name": self._used[image]}
        if there[image] != tags:
            return _("kept: it is called %(names)s now") % {"names": ", ".join(there[image]) or _("nothing")}
        return ""

    def _removed(self, image: str) -> str:
        try:
            for reference in self.references(image) or [image]:
                self.remove(reference)
        except NotFound:  # with an image that was built upon it
            return ""
        except Conflict as error:
            return error.detail
        return ""
