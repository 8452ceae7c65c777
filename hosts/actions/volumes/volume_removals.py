"""Removes several volumes: exactly those that somebody was shown, as far as they are still what was shown.

An engine's own prune takes whatever fits by the time it is asked, so it is not used.
"""

from functools import partial
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure
from hosts.actions import removals
from hosts.actions.act import demand_each, recorded
from hosts.actions.asking import Asking
from hosts.engine import parse
from hosts.engine.answers import BadRequest, Conflict, EngineFailed, NotFound
from hosts.inventory import apply
from hosts.models import Host, Volume
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

SECONDS = 600.0  # for one of them


def start_removals(actor: Any, volumes: list[Volume], *, rule: dict[str, Any] | None = None) -> Job:
    """Starts a job that removes these volumes, with what is in them. By the `rule` that made the list, all of one host,
    goes a schedule of the job."""
    demand_each(actor, Right.VOLUMES_MANAGE, volumes)
    removals.check_number(
        volumes,
        none=gettext_noop("There is no volume to remove."),
        too_many=gettext_noop("At most %(most)s volumes at once."),
    )
    hosts = {volume.host.name for volume in volumes}
    return queue.start(
        actor,
        "volume.remove",
        host=min(hosts) if len(hosts) == 1 else "",
        target=", ".join(volume.name for volume in volumes),
        params={
            "targets": sorted(volume.as_shown for volume in volumes),
            "host": min(hosts) if len(hosts) == 1 else "",
            "rule": rule,
        },
        locks=[lock(volume.host.name, "volume", volume.name) for volume in volumes],
    )


def run_removals(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other. What is used, or was made anew, is kept, and said."""
    targets = context.params["targets"]
    removers = {host: VolumeRemover(context, host) for host, *_more in targets}
    gone = removals.one_by_one(
        context,
        [name if context.job.host else f"{host}/{name}" for host, name, _created, _size in targets],
        [partial(removers[host].remove, name, created) for host, name, created, _size in targets],
    )
    size = sum(size for (*_more, size), went in zip(targets, gone, strict=True) if went)
    return {"volumes": sum(gone), "kept": gone.count(False), "size": size}


class VolumeAsker(Asking):
    """What jobs ask of volumes."""

    def users(self, name: str) -> list[dict[str, Any]]:
        """The containers that use the volume, running or not, as an engine lists them."""
        # its own filter takes a part of a name for the name
        found = self.ask("GET", "/containers/json", {"all": "1"}) or []
        return [
            entry
            for entry in found
            if any(mount.get("Type") == "volume" and mount.get("Name") == name for mount in entry.get("Mounts") or [])
        ]

    def look(self, name: str) -> dict[str, Any]:
        """What the engine says of it. Raises NotFound."""
        return self.ask("GET", f"/volumes/{quote(name, safe='')}") or {}

    def volume(self, name: str) -> dict[str, Any] | None:
        """The same; None where there is no such volume."""
        try:
            return self.look(name)
        except NotFound:
            return None


class VolumeRemover:
    """Removes volumes of one host, as a job."""

    def __init__(self, context: JobContext, host: str) -> None:
        self._context = context
        self._host = Host.objects.filter(name=host).first()
        self._asker = VolumeAsker(self._host, context) if self._host else None

    def remove(self, name: str, created: str) -> str:
        """Why it is kept; "" when it is gone. Raises DermagaError, and Cancelled."""
        if self._host is None or self._asker is None:
            raise Failure("no_host", 404, gettext_noop("its host is gone"))
        why = ""
        try:
            with recorded(self._context.job.by, Right.VOLUMES_MANAGE, self._host, "volume.remove", name):
                why = self._changed(self._asker, name, created) or self._removed(self._asker, name)
                if why:
                    raise Failure("kept", 409, "%(why)s", {"why": why})
        except Failure:
            if not why:
                raise
            return why
        apply.apply_rows(self._host, "volume", [], only={name})
        return ""

    def _changed(self, asker: VolumeAsker, name: str, created: str) -> str:
        if users := asker.users(name):
            user = str((users[0].get("Names") or ["?"])[0]).strip("/")
            return _("kept: the container %(name)s uses it") % {"name": user}
        try:
            found = parse.volume_row(asker.look(name))
        except NotFound:
            return _("gone already")
        # of a local volume Docker 20.10 gives as its time of making when something at its top was last made or removed
        now = found["created"].isoformat() if found and found["created"] else ""
        return "" if now == created else _("kept: it was changed or made anew since it was looked at")

    def _removed(self, asker: VolumeAsker, name: str) -> str:
        try:
            asker.ask("DELETE", f"/volumes/{quote(name, safe='')}", seconds=SECONDS)
        except NotFound:
            return ""
        except (BadRequest, Conflict, EngineFailed) as error:
            return error.detail
        return ""
