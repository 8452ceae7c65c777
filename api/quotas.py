"""Quotas over REST: what teams may have, and what they use of it."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from accounts.models import Quota
from accounts.models.quotas import BOUNDS, DEFAULTS
from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import Denied
from hosts.access import get_host, may_police
from hosts.actions.system import quotas
from hosts.models import Host, Service
from hosts.quotas.tasks import Counted, counted, services_of
from hosts.quotas.usage import lines
from hosts.quotas.visible import get_team, visible_quotas
from hosts.specs.kinds import NANO

router = Router(tags=["teams"])


class QuotaIn(Schema):
    """The quota of a team on a host, or, without one, on all hosts together. Each bound is a number, or null for none;
    what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    team: str
    host: str = ""
    containers: int | None = None
    cpus: float | None = None
    memory: int | None = Field(None, description="bytes")
    pids: int | None = None
    volumes: int | None = None
    volume_bytes: int | None = None
    ports: int | None = Field(None, description="published")
    pulls: int | None = Field(None, description="images pulled in 24 hours")
    jobs: int | None = Field(None, description="that run at once")
    default_cpus: float | None = Field(None, description="of a container that says no limit")
    default_memory: int | None = None
    default_pids: int | None = None


def show(user: Any, quota: Quota) -> dict[str, Any]:
    """A quota as JSON, with what is used of each bound, and what services count there, as far as `user` sees these."""
    used = {line.name: line.used / NANO if line.name == "cpus" else line.used for line in lines(quota)}
    return {
        "team": quota.team.name,
        "host": quota.host.name if quota.host else "",
        **{name: getattr(quota, name) for name in (*BOUNDS, *DEFAULTS)},
        "used": used,
        "services": [_service(one) for one in _services(user, quota)],
        "changed": quota.changed,
        "by": quota.by_name,
    }


def _services(user: Any, quota: Quota) -> list[Counted]:
    rows = services_of(quota.team_id, quota.host)
    return counted(rows.filter(pk__in=Service.objects.visible_to(user)), quota.host)


def _service(one: Counted) -> dict[str, Any]:
    counts = {"containers": one.number, "cpus": one.amount.cpus / NANO}
    counts |= {name: getattr(one.amount, name) for name in ("memory", "pids", "ports")}
    return {"swarm": one.service.swarm.name, "name": one.service.name, **counts}


def _host(request: HttpRequest, name: str) -> Host | None:
    host = get_host(request.user, name) if name else None
    if not may_police(request.user, host):
        raise Denied
    return host


@router.get("", response=Many)
@needs(Right.LOGIN)
def quota_list(request: HttpRequest, team: str = "", host: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """Those of one's own teams, and of the hosts that one manages; of one team or one host where that is said."""
    found = visible_quotas(request.user)
    found = found.filter(team__name=team) if team else found
    return many(found.filter(host__name=host) if host else found, limit, offset, partial(show, request.user))


@router.put("", response=dict)
@needs(Right.HOSTS_MANAGE)
def quota_set(request: HttpRequest, body: QuotaIn) -> Any:
    """Sets it; for all hosts together `hosts.manage` is needed on all hosts."""
    host = _host(request, body.host)
    team = get_team(request.user, body.team, host)
    values = body.dict(exclude_unset=True, exclude={"team", "host"})
    return show(request.user, quotas.store(request.user, team, host, values))


@router.delete("", response={204: None})
@needs(Right.HOSTS_MANAGE)
def quota_remove(request: HttpRequest, team: str, host: str = "") -> Any:
    """Takes it away: nothing bounds the team there any more."""
    place = _host(request, host)
    quotas.remove(request.user, get_team(request.user, team, place), place)
    return 204, None
