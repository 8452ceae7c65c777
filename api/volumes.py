"""Volumes over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_host, get_volume
from hosts.actions import volumes
from hosts.models import Container, Volume
from hosts.volume_plan import VolumePlan

MEMBERS_AT_MOST = 1000

router = Router(tags=["volumes"])


class Create(Schema):
    """A volume to make. Values of options go to the engine; those that are secrets never come out."""

    name: str
    driver: str = "local"
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class Remove(Schema):
    """`force`: also when its driver is gone."""

    force: bool = False


def show(volume: Volume) -> dict[str, Any]:
    """A volume as JSON."""
    return {
        "host": volume.host.name,
        "name": volume.name,
        "driver": volume.driver,
        "scope": volume.scope,
        "mountpoint": volume.mountpoint,
        "options": volume.data.get("options", {}),
        "labels": volume.labels,
        "created": volume.created,
        "host_state": volume.host.state,
        "seen": volume.seen,
    }


@router.get("", response=Many)
@needs(Right.VOLUMES_VIEW)
def volume_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All volumes; the same filters as the page: search, host, driver, use (in use, unused)."""
    rows = filters.with_use("volume", Volume.objects.visible_to(request.user).select_related("host"))
    rows, _ = filters.VOLUMES.ordered(filters.VOLUMES.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/{host}", response={201: dict})
@needs(Right.VOLUMES_MANAGE)
def volume_create(request: HttpRequest, host: str, body: Create) -> Any:
    """Makes a volume."""
    volumes.create(request.user, get_host(request.user, host), VolumePlan(**body.dict()))
    return 201, {"name": body.name}


@router.get("/{host}/{volume}", response=dict)
@needs(Right.VOLUMES_VIEW)
def volume_get(request: HttpRequest, host: str, volume: str) -> Any:
    """One volume, with the names of the `containers` that use it."""
    found = get_volume(request.user, host, volume)
    rows = filters.users_of("volume", found, Container.objects.visible_to(request.user))
    return {**show(found), "containers": list(rows.order_by("name").values_list("name", flat=True)[:MEMBERS_AT_MOST])}


@router.post("/{host}/{volume}/remove", response=dict)
@needs(Right.VOLUMES_MANAGE)
def volume_remove(request: HttpRequest, host: str, volume: str, body: Remove | None = None) -> Any:
    """Removes it with what is in it; 409 with the names of the containers that use it."""
    found = get_volume(request.user, host, volume, Right.VOLUMES_MANAGE)
    volumes.remove(request.user, found, force=body.force if body else False)
    return {"done": "remove"}
