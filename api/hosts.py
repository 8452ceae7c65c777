"""Hosts over REST."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema

from accounts.rights import Right
from api import stats
from api.auth import needs
from api.bodies import changes_in, valid
from api.lists import Limit, Many, Offset, many
from common.errors import Invalid
from hosts import filters
from hosts.access import get_host, may
from hosts.actions.system import hosts
from hosts.forms.hosts import HostForm, kind_of
from hosts.models import Host, Series
from hosts.models.policies import in_force

router = Router(tags=["hosts"])


class HostIn(Schema):
    """A new host; certificates and keys as PEM or OpenSSH texts."""

    name: str
    url: str
    kind: str = ""
    labels: dict[str, str] = {}
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    ssh_key: str = ""
    ssh_known_hosts: str = ""


class HostChange(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    url: str | None = None
    labels: dict[str, str] | None = None
    enabled: bool | None = None


def show(host: Host) -> dict[str, Any]:
    """A host as JSON: never a key."""
    return {
        "name": host.name,
        "url": host.url,
        "kind": host.kind,
        "labels": host.labels,
        "enabled": host.enabled,
        "state": host.state,
        "reason": host.reason,
        "since": host.since,
        "last_seen": host.last_seen,
        "engine": f"{host.engine} {host.engine_version}".strip(),
        "api_version": host.api_version,
        "cpus": host.cpus,
        "memory": host.memory,
    }


@router.get("", response=Many)
@needs(Right.HOSTS_VIEW)
def host_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All hosts; the same filters as the page: search, state, kind, engine, label."""
    rows, _ = filters.HOSTS.ordered(filters.HOSTS.narrow(Host.objects.visible_to(request.user), request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("", response={201: dict})
@needs(Right.HOSTS_MANAGE)
def host_add(request: HttpRequest, body: HostIn) -> Any:
    """Adds a host; the watcher connects within a second."""
    return 201, show(hosts.add(request.user, _valid(_values(body.dict()), None).fill(Host())))


def _values(body: dict[str, Any]) -> dict[str, Any]:
    for name, value in body["labels"].items():
        if "," in name + value or "=" in name:
            raise Invalid("labels", gettext_noop("A label has no comma, and its name no equals sign."))
    values = body | {"labels": ", ".join(f"{name}={value}" for name, value in body["labels"].items())}
    if not values.get("kind"):
        try:
            values["kind"] = kind_of(values["url"], tls=bool(values["tls_ca"] or values["tls_cert"]))
        except ValueError:
            values["kind"] = "tcp"  # the form says at the field what is wrong with the address
    return values


def _valid(values: dict[str, Any], host: Host | None) -> HostForm:
    return valid(HostForm(values, host=host))


@router.get("/{host}", response=dict)
@needs(Right.HOSTS_VIEW)
def host_get(request: HttpRequest, host: str) -> Any:
    """One host."""
    return show(get_host(request.user, host))


@router.patch("/{host}", response=dict)
@needs(Right.HOSTS_MANAGE)
def host_change(request: HttpRequest, host: str, body: HostChange) -> Any:
    """Changes name, address, labels, or whether it is watched."""
    found = get_host(request.user, host, Right.HOSTS_MANAGE)
    changes = changes_in(body)
    enabled = changes.pop("enabled", None)
    if changes:
        stored = {
            name: getattr(found, name)
            for name in ("name", "url", "kind", "labels", "tls_ca", "tls_cert", "ssh_known_hosts")
        }
        if "url" in changes:
            stored["kind"] = ""  # the new address says it
        form = _valid(_values({**stored, "tls_key": "", "ssh_key": "", **changes}), found)
        hosts.change(request.user, form.fill(Host.objects.get(pk=found.pk)))
    if enabled is not None and enabled != found.enabled:
        hosts.set_enabled(request.user, found, enabled)
    return show(Host.objects.get(pk=found.pk))


@router.delete("/{host}", response={204: None})
@needs(Right.HOSTS_MANAGE)
def host_remove(request: HttpRequest, host: str) -> Any:
    """Forgets a host; nothing on the host itself is touched."""
    hosts.remove(request.user, get_host(request.user, host, Right.HOSTS_MANAGE))
    return 204, None


@router.post("/{host}/check", response=dict)
@needs(Right.HOSTS_MANAGE)
def host_check(request: HttpRequest, host: str) -> Any:
    """Connects once and says who answers, or what is wrong."""
    found = get_host(request.user, host, Right.HOSTS_MANAGE)
    return dict(hosts.test(request.user, found.endpoint(), found.name))


@router.get("/{host}/policy", response=dict)
@needs(Right.HOSTS_VIEW)
def host_policy(request: HttpRequest, host: str) -> Any:
    """The rules in force, each with where it is from; what is asked for must be allowed by all of `rules`. `exempt`: they do
    not hold for who asks."""
    row = get_host(request.user, host)
    found = in_force(row)
    rules = [{"from": place, **one.as_json()} for place, one in zip(found.places, found.rules, strict=True)]
    return {"host": row.name, "exempt": may(request.user, Right.HOSTS_MANAGE, row), "rules": rules}


@router.get("/{host}/stats", response=dict)
@needs(Right.STATS_VIEW)
def host_stats(request: HttpRequest, host: str, span: Query[stats.Span]) -> Any:
    """The history of the sum over its running containers; CPU 100 is one CPU of `cpus`."""
    found = get_host(request.user, host, Right.STATS_VIEW)
    series = Series.objects.select_related("host").filter(host=found, key="").first()
    return {"host": host, "cpus": found.cpus, **stats.show(span, series, found)}
