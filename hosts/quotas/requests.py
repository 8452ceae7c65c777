"""The quota of the team that a job is for, around each request that makes a container or changes what one may use."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import quote

from django.utils.translation import gettext_noop

from accounts.audit import record
from common.errors import Conflict, QuotaExceeded
from hosts.engine import parse
from hosts.engine.errors import EngineError
from hosts.inventory import apply
from hosts.models import Container, Host, Service, Volume
from hosts.models.owners import SWARM_SERVICE_ID
from hosts.policy.allotted import Allotted, allotted, updated
from hosts.quotas import allotting
from hosts.quotas.allotting import Held
from hosts.quotas.amounts import Amount, of_container
from hosts.quotas.asks import Asks
from hosts.quotas.services import on_service
from hosts.specs.replaced import volumes_of

CREATE = "/containers/create"
UPDATE = re.compile(r"/containers/([^/]+)/update")
SERVICE = re.compile(r"/services/(?:create|([^/]+)/update)")
OF_A_TASK = gettext_noop(
    "%(name)s runs for the service %(service)s, and its limits are those of that: change them there."
)


def unbound_of(wants: Allotted) -> frozenset[str]:
    """Bounds of which a container says no limit."""
    none = {"cpus": not wants.nano_cpus, "memory": not wants.memory, "pids": not wants.pids}
    return frozenset(name for name, is_so in none.items() if is_so)


def wanted(
    host: Host, body: Mapping[str, Any], image_ports: int = 0, had: Collection[str] = ()
) -> tuple[Amount, frozenset[str]]:
    """What a container of this body would have, and of what it says no limit; with the volumes that come with it.
    `image_ports`: how many its image names; `had`: where volumes without a name are mounted that it takes over."""
    wants = allotted(body.get("HostConfig"))
    amount = of_container(host, wants)
    mounts = (body.get("HostConfig") or {}).get("Mounts") or []
    names = [
        str(one.get("Source") or "") for one in mounts if one.get("Type") == "volume" and one.get("Target") not in had
    ]
    there = set(Volume.objects.filter(host=host, name__in=names).values_list("name", flat=True))
    new = len({name for name in names if name and name not in there}) + names.count("")
    ports = len(body.get("ExposedPorts") or {}) + image_ports if wants.all_ports else 0
    return amount + Amount(volumes=new, ports=ports), unbound_of(wants)


def check_now(
    actor: Any,
    host: Host,
    team: int | None,
    body: Mapping[str, Any],
    action: str,
    target: str,
    old: Container | None = None,
) -> None:
    """Before there is a job: who asked hears it at once, and it is in the audit. `old`: the one whose place it takes.
    Raises QuotaExceeded."""
    mounts = old.data.get("mounts", []) if old and isinstance(old.data, dict) else []
    had = {str(mount.get("target")) for mount in mounts if mount.get("type") == "volume"}
    amount, unbound = wanted(host, body, had=had)
    try:
        allotting.check(team, host, amount, unbound=unbound, old=old.engine_id if old else "")
    except QuotaExceeded as error:
        detail = {"reason": error.code, "what": sorted({str(one.params["what"]) for one in (error, *error.others)})}
        record(actor, action, target, host=host.name, outcome="refused", detail=detail)
        raise


@contextmanager
def on_request(
    team: int | None,
    asks: Asks,
    method: str,
    path: str,
    params: Mapping[str, str] | None,
    body: Mapping[str, Any] | None,
    old: str,
) -> Iterator["Answered"]:
    """Around a request. Tell what it gives the engine's answer. Raises QuotaExceeded."""
    if method == "POST" and (service := SERVICE.fullmatch(path)):
        with on_service(asks, service[1] or "", params, body) as held:
            yield held
        return
    change = UPDATE.fullmatch(path) if method == "POST" else None
    if team is None or method != "POST" or not (change or path == CREATE) or not allotting.quotas_of(team, asks.host):
        yield Shown(asks, None)
        return
    if change:
        found = asks.container(change[1]) or {}
        _refuse_task(team, asks.host, found)
        wants = allotted(updated(found.get("HostConfig"), body))
        amount, unbound, old = of_container(asks.host, wants), unbound_of(wants), str(found.get("Id") or "")
    else:
        image = str((body or {}).get("Image") or "")
        config = (asks.image(image) or {}).get("Config") or {}
        amount, unbound = wanted(asks.host, body or {}, len(config.get("ExposedPorts") or {}))
    with allotting.allotted(team, asks.host, amount, unbound=unbound, old=old) as held:
        yield Shown(asks, held, old if change else "", team)


def _refuse_task(team: int, host: Host, found: Mapping[str, Any]) -> None:
    """A task counts with its service: what it got of its own would count nowhere."""
    key = str(((found.get("Config") or {}).get("Labels") or {}).get(SWARM_SERVICE_ID) or "")
    service = Service.objects.filter(owner=team, swarm__members__host=host, engine_id=key).first() if key else None
    if service is not None:
        name = str(found.get("Name") or "").removeprefix("/")
        raise Conflict(OF_A_TASK, {"name": name, "service": service.name})


class Answered(Protocol):
    """Hears what an engine made or changed."""

    def answered(self, answer: Any) -> None:
        """The engine did it."""


class Shown:
    """Puts what an engine made into the table, where something is held for it."""

    def __init__(self, asks: Asks, held: Held | None, changed: str = "", team: int | None = None) -> None:
        self._asks, self._held, self._changed, self._team = asks, held, changed, team

    def answered(self, answer: Any) -> None:
        """The engine did it."""
        if self._held is None:
            return
        key = self._changed or str((answer or {}).get("Id") or "")
        with suppress(EngineError):
            self._show(key)
        if not Container.objects.filter(
            host=self._asks.host, engine_id=key, owner=self._team, nano_cpus__isnull=False
        ).exists():
            self._held.later(key)

    def _show(self, key: str) -> None:
        host = self._asks.host
        if not self._changed:
            params = {"all": "1", "filters": json.dumps({"id": [key]})}
            rows = [parse.container_row(entry) for entry in self._asks.find("/containers/json", params) or []]
            apply.apply_rows(host, "container", [row for row in rows if row], only={key})
        inspect = self._asks.container(key) or {}
        apply.apply_details(host, {key: inspect})
        for volume in volumes_of(inspect) - {""}:
            if not Volume.objects.filter(host=host, name=volume).exists():
                found = parse.volume_row(self._asks.find(f"/volumes/{quote(volume, safe='')}"))
                apply.apply_rows(host, "volume", [found] if found else [], only={volume})
