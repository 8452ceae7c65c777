"""What can be done to volumes: create, remove."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from common.hiding import hiding
from hosts.actions import policing
from hosts.actions.act import on_engine
from hosts.actions.volumes.volume_files import close_files
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Container, Host, Use, Volume
from hosts.owning import claimed
from hosts.quotas.allotting import allotted
from hosts.quotas.amounts import Amount
from hosts.volume_plan import VolumePlan

SHOWN = 4
SECONDS = 60.0


def create(actor: Any, host: Host, plan: VolumePlan) -> None:
    """Makes a volume. An engine gives back the one that has the name already: that is refused here."""
    plan.check()
    labels, corner = claimed(actor, Right.VOLUMES_MANAGE, host, plan.labels, "volume", plan.name)
    plan = replace(plan, labels=labels)
    detail = {"driver": plan.driver, "options": sorted(plan.options)}
    with (
        hiding(plan.secret),  # engines repeat options that they refuse
        on_engine(
            actor, Right.VOLUMES_MANAGE, corner, "volume.create", plan.name, timeout=SECONDS, detail=detail
        ) as api,
    ):
        body = {"Name": plan.name, "Driver": plan.driver, "DriverOpts": plan.options}
        policing.allow_volume(actor, host, body)
        there = (api.volumes(filters={"name": plan.name}) or {}).get("Volumes") or []
        if any(volume.get("Name") == plan.name for volume in there):
            raise Invalid("name", gettext_noop("There is a volume called %(name)s already."), {"name": plan.name})
        with allotted(corner.owner_id, host, Amount(volumes=1)) as held:
            try:
                made = api.create_volume(plan.name, driver=plan.driver, driver_opts=plan.options, labels=plan.labels)
            except Exception:
                if held:
                    held.end()
                raise
            if found := parse.volume_row(made):
                apply.apply_rows(host, "volume", [found], only={found["name"]})


def remove(actor: Any, volume: Volume, *, force: bool = False) -> None:
    """Removes it with what is in it. By `force` also when its driver is gone; never while a container uses it."""
    try:
        with on_engine(
            actor,
            Right.VOLUMES_MANAGE,
            volume,
            "volume.remove",
            volume.name,
            timeout=SECONDS,
            detail={"force": force},
        ) as api:
            close_files(actor, volume)  # an open look into it is no use of it
            api.remove_volume(volume.name, force=force)
        apply.apply_rows(volume.host, "volume", [], only={volume.name})
    except Failure as error:
        if "in use" in error.detail.lower() or "being used" in error.detail.lower():
            raise _in_use(actor, volume) from error
        raise


def _in_use(actor: Any, volume: Volume) -> Conflict:
    uses = Use.objects.filter(noun="volume", host=volume.host_id, name=volume.name).order_by("container__name")
    uses = uses.filter(container__in=Container.objects.visible_to(actor))
    names = list(uses.values_list("container__name", flat=True)[: SHOWN + 1])
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return Conflict(
        gettext_noop("Containers use %(volume)s: %(names)s. Remove them first."),
        {"volume": volume.name, "names": shown or "?"},
    )
