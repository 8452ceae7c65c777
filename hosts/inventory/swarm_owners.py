"""Whose objects of swarms are: of the team that their own label `dermaga.team` names. A task, and its container on a node, is
its service's."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts.models import Team
from common.events import changed
from hosts.inventory.owners import apply_owners
from hosts.models import Config, Host, Secret, Service, Swarm, Task
from hosts.models.owners import TEAM_LABEL
from hosts.models.swarms import SwarmOwned

LABELLED: dict[str, type[SwarmOwned]] = {"service": Service, "secret": Secret, "config": Config}


def given(swarm: Swarm, noun: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with the column `owner_id`."""
    teams = _teams()
    if noun != "task":
        return [{**row, "owner_id": teams.get(_named(row["labels"]))} for row in rows]
    owned = Service.objects.filter(swarm=swarm, owner__isnull=False) if teams else Service.objects.none()
    services = dict(owned.values_list("engine_id", "owner"))
    return [{**row, "owner_id": services.get(row["service_ref"])} for row in rows]


def _teams() -> dict[str, int]:
    return dict(Team.objects.order_by().values_list("name", "pk"))


def _named(labels: Any) -> str:
    return str(labels.get(TEAM_LABEL) or "") if isinstance(labels, dict) else ""


def hand_down(swarm: Swarm, owners: Mapping[str, int | None]) -> None:
    """The tasks of these services, by id, and their containers on the hosts of the swarm are theirs from now on."""
    for service, owner in owners.items():
        Task.objects.filter(swarm=swarm, service_ref=service).update(owner=owner)
    if owners:
        changed("task", swarm.name)
        apply_owners(Host.objects.filter(member__swarm=swarm), ["container"])


def apply_swarm_owners() -> None:
    """Decides anew of all that is stored, when teams came, went or were called otherwise."""
    teams = _teams()
    for swarm in Swarm.objects.all():
        for noun, model in LABELLED.items():
            moved = {}
            with transaction.atomic():
                for row in model._default_manager.filter(swarm=swarm).only("engine_id", "labels", "owner"):
                    owner = teams.get(_named(row.labels))
                    if owner != row.owner_id:
                        model._default_manager.filter(pk=row.pk).update(owner=owner)
                        moved[row.engine_id] = owner
                if moved:
                    changed(noun, swarm.name, *sorted(moved))
                    if noun == "service":
                        hand_down(swarm, moved)
