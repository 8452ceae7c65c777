"""Opens a volume's files: as those of a helper container, which goes away by itself."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.rights import SYSTEM, Right
from common.errors import DermagaError, Failure
from hosts.actions import policing
from hosts.actions.act import recorded
from hosts.actions.asking import Asking
from hosts.engine import parse, volume_helpers
from hosts.engine.calls import Call
from hosts.engine.volume_helpers import HELPER_LABEL, NAME, OF_DOWNLOADS, OF_PAGES, PLACE, VOLUME_LABEL
from hosts.helper_images import likely_shells
from hosts.inventory import apply
from hosts.models import Container, Host, Volume
from hosts.models.hosts import LIVE_STATES
from hosts.models.owners import TEAM_LABEL
from hosts.owning import is_limited

OPEN_MINUTES = 30
REUSED_MINUTES = 20  # one that has less time left is not given to somebody who comes now
SECONDS = 5.0
CLOSED_AT_ONCE = 100
DOWNLOAD_HOURS = 12  # the longest that one may take
AGES = {OF_PAGES: timedelta(minutes=OPEN_MINUTES), OF_DOWNLOADS: timedelta(hours=DOWNLOAD_HOURS)}


def open_files(actor: Any, volume: Volume) -> dict[str, str]:
    """A helper container with the volume, the one that is open already, if any: {"container": its id, "path": the folder in
    it that is the volume, "until": when it goes}."""
    host = volume.host
    with recorded(actor, Right.CONTAINERS_FILES, volume, "volume.files", volume.name):
        policing.allow_content(actor, host, volume.name, Asking(host))
        now = timezone.now()
        for helper in _helpers(volume):
            if helper.created and helper.created > now - timedelta(minutes=REUSED_MINUTES):
                return _opened(helper.engine_id, helper.created)
        images = likely_shells(actor if is_limited(actor, Right.CONTAINERS_FILES, host) else SYSTEM, host, volume.name)
        if not images:
            sentence = gettext_noop(
                "%(host)s has no image yet, and files of a volume are looked at through a container: pull any small image."
            )
            raise Failure("no_image", 409, sentence, {"host": host.name})
        made = volume_helpers.open_for(
            host.endpoint(),
            volume.name,
            images,
            OPEN_MINUTES * 60,
            version=host.spoken_version,
            labels={TEAM_LABEL: volume.owner.name} if volume.owner else {},
        )
        _make_known(host, made)
        return _opened(made, now)


def _opened(helper: str, since: datetime) -> dict[str, str]:
    return {"container": helper, "path": PLACE, "until": (since + timedelta(minutes=OPEN_MINUTES)).isoformat()}


def _make_known(host: Host, helper: str) -> None:
    """Its pages and routes are there at once, and not when the engine's event has been read."""
    filters = json.dumps({"id": [helper]})
    with Call(host.endpoint()) as call:
        params = {"all": "1", "filters": filters}
        call.open("GET", "/containers/json", params, version=host.spoken_version, seconds=SECONDS)
        rows = [row for row in map(parse.container_row, call.read_json(SECONDS) or []) if row]
    apply.apply_rows(host, "container", rows, only={helper})


def close_files(actor: Any, volume: Volume) -> None:
    """Removes the volume's helpers, if there are any: they would keep it in use."""
    for helper in _helpers(volume):
        with recorded(actor, Right.VOLUMES_MANAGE, volume, "volume.files_close", volume.name):
            volume_helpers.close(volume.host.endpoint(), helper.engine_id, version=volume.host.spoken_version)


def close_old(actor: Any) -> None:
    """Removes helpers of pages that are as old as those that end by themselves: they never ran, since no image of their
    host has a shell. Those of downloads too, whose process was killed."""
    now = timezone.now()
    rows = Container.objects.select_related("host").filter(
        name__startswith=NAME, state="created", host__state__in=LIVE_STATES, host__enabled=True
    )
    for helper in rows.filter(created__lt=now - min(AGES.values()))[:CLOSED_AT_ONCE]:
        age = AGES.get(helper.labels.get(HELPER_LABEL, ""))
        if age is None or helper.created is None or helper.created > now - age:
            continue
        with (
            suppress(DermagaError),
            recorded(actor, Right.VOLUMES_MANAGE, helper, "volume.files_close", helper.name),
        ):
            volume_helpers.remove(helper.host.endpoint(), helper.engine_id, version=helper.host.spoken_version)


def _helpers(volume: Volume) -> list[Container]:
    """Open ones, the newest first."""
    rows = Container.objects.filter(host=volume.host_id, owner=volume.owner_id, name__startswith=NAME)
    rows = rows.filter(state__in=["running", "created"]).order_by("-created")
    return [row for row in rows if row.labels.get(VOLUME_LABEL) == volume.name]
