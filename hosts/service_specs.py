"""Specifications of services that are there: read from their rows, with the names that a swarm knows by ids."""

import hashlib
import json
from typing import Any

from hosts.engine.parse.values import bounded
from hosts.models import Config, Network, Secret, Service, Swarm, SwarmMember
from hosts.specs.body import OLDEST
from hosts.specs.services.body import Ids
from hosts.specs.services.inspected import from_inspect
from hosts.specs.services.spec import ServiceSpec

HIDDEN = "(hidden)"


def revision_of(told: Any) -> str:
    """What tells one Spec of an engine from another. The engine's version moves also when nothing but the state of an
    update does."""
    words = json.dumps(bounded(told), sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def ids_in(swarm: Swarm) -> Ids:
    """The ids of all its secrets and configs, by name."""
    of = {model: dict(model.objects.filter(swarm=swarm).values_list("name", "engine_id")) for model in (Secret, Config)}
    return Ids(of[Secret], of[Config])


def network_names(service: Service) -> dict[str, str]:
    """Names of the networks that it is in, by id, as the hosts in its swarm know them."""
    ids = service.data.get("networks") or []
    rows = Network.objects.filter(engine_id__in=ids, host__member__swarm=service.swarm_id)
    return dict(rows.values_list("engine_id", "name"))


def specification(service: Service) -> ServiceSpec:
    """Its specification as we understand it."""
    return from_inspect(service.spec, network_names(service))


def version_of(swarm: Swarm) -> str:
    """The API version of the manager that it is read through."""
    found = SwarmMember.objects.filter(swarm=swarm, control=True).select_related("host")
    members = sorted(found, key=lambda member: member.host_id != swarm.reader_id)
    return next((member.host.api_version for member in members if member.host.api_version), OLDEST)


def secrets_of(spec: ServiceSpec) -> list[str]:
    """Values that may be secret, but for those that the job's target shows anyway."""
    found = [*spec.env.values(), *spec.log.options.values()]
    found += [value for mount in spec.mounts for value in mount.driver_options.values()]
    return [value for value in found if value not in spec.image and value not in spec.name]


def hidden(spec: ServiceSpec) -> None:
    """Takes the values out of it that take a right of their own to see."""
    spec.env = dict.fromkeys(spec.env, HIDDEN)
    spec.log.options = dict.fromkeys(spec.log.options, HIDDEN)
    for mount in spec.mounts:
        mount.driver_options = dict.fromkeys(mount.driver_options, HIDDEN)
