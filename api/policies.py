"""Policies over REST: what may be asked of the engines of hosts."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import Denied, Invalid
from hosts.access import chosen_host, get_policy, may_police, visible_policies
from hosts.actions.system import policies
from hosts.models import Policy
from hosts.policy.rules import Rules

router = Router(tags=["policies"])


class RulesIn(Schema):
    """What is allowed. What is left out is strict, and in a change stays as it is."""

    model_config = ConfigDict(extra="forbid")

    privileged: bool | None = None
    capabilities: list[str] | None = None
    devices: list[str] | None = None
    device_rules: bool | None = None
    gpus: bool | None = None
    namespaces: list[str] | None = Field(None, description="network, pid, ipc, uts, user, cgroup")
    binds: list[str] | None = Field(None, description="whole paths; :ro behind one to read only")
    engine_socket: bool | None = None
    volumes_from: bool | None = None
    volume_drivers: list[str] | None = None
    volume_types: list[str] | None = Field(None, description="nfs, nfs4, cifs")
    security_options: bool | None = None
    sysctls: list[str] | None = None
    ports: list[str] | None = Field(None, description="ports and ranges")
    network_drivers: list[str] | None = None
    images: list[str] | None = Field(None, description="patterns; none: any image")
    limits: list[str] | None = Field(None, description="that each container must have: memory, cpus, pids")
    log_drivers: list[str] | None = None
    runtimes: list[str] | None = None
    cgroup_parent: bool | None = None
    priority: bool | None = None
    ulimits: list[str] | None = None


class PolicyIn(Schema):
    """A policy: of a host, of all hosts with a label, or, with neither, of all hosts."""

    host: str = ""
    label: str = Field("", description="NAME=VALUE, or NAME with any value")
    about: str = ""
    rules: RulesIn | None = None


class PolicyChange(Schema):
    """What is to change; rules that are left out stay."""

    about: str | None = None
    rules: RulesIn | None = None


def show(policy: Policy) -> dict[str, Any]:
    """A policy as JSON."""
    return {
        "id": policy.pk,
        "host": policy.host.name if policy.host else "",
        "label": policy.label,
        "about": policy.about,
        "rules": policy.parsed.as_json(),
        "changed": policy.changed,
        "by": policy.by_name,
    }


def _over(before: Rules, told: RulesIn | None) -> Rules:
    said = told.dict() if told else {}
    return Rules.of(before.as_json() | {name: value for name, value in said.items() if value is not None})


@router.get("", response=Many)
@needs(Right.HOSTS_VIEW)
def policy_list(request: HttpRequest, limit: int = Limit, offset: int = Offset) -> Any:
    """Those of hosts that one sees, of labels, and of all hosts. Without any the built-in one counts: nothing dangerous."""
    return many(visible_policies(request.user), limit, offset, show)


@router.post("", response={201: dict})
@needs(Right.HOSTS_MANAGE)
def policy_add(request: HttpRequest, body: PolicyIn) -> Any:
    """Makes one; for a label or all hosts, `hosts.manage` is needed on all hosts."""
    if body.host and body.label:
        raise Invalid("label", gettext_noop("Give a host or a label, or neither."))
    host = chosen_host(request.user, body.host) if body.host else None
    if not may_police(request.user, host):
        raise Denied
    policy = Policy(host=host, label=body.label.strip())
    return 201, show(policies.store(request.user, policy, _over(Rules(), body.rules), body.about))


@router.get("/{policy}", response=dict)
@needs(Right.HOSTS_VIEW)
def policy_get(request: HttpRequest, policy: int) -> Any:
    """One of them."""
    return show(get_policy(request.user, policy))


@router.patch("/{policy}", response=dict)
@needs(Right.HOSTS_MANAGE)
def policy_change(request: HttpRequest, policy: int, body: PolicyChange) -> Any:
    """Changes its rules; where it holds stays."""
    found = get_policy(request.user, policy)
    about = found.about if body.about is None else body.about
    return show(policies.store(request.user, found, _over(found.parsed, body.rules), about))


@router.delete("/{policy}", response={204: None})
@needs(Right.HOSTS_MANAGE)
def policy_remove(request: HttpRequest, policy: int) -> Any:
    """Takes it away: what is less particular counts from now on."""
    policies.remove(request.user, get_policy(request.user, policy))
    return 204, None
