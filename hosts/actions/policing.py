"""What a host's policy allows somebody to ask of its engine. Who manages the host is exempt.

All that `Asking` sends goes through `police`, in the name of who started the job; what goes to an engine by another way
calls one of the functions below.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, unquote

from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right
from common.errors import NotFound, PolicyRefused
from hosts.access import get_container, may
from hosts.models import Container, Host, Swarm, Volume
from hosts.models.policies import Policy, in_force
from hosts.policy import builds, containers, images, networks, services, volumes, words
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules
from hosts.specs.body import Create

AT_MOST = 50  # refusals of one request that are told
FORBIDDEN = gettext_noop(
    "The policy of %(host)s forbids this (%(rule)s). %(reason)s Leave it out, or ask who manages the host."
)
MADE_SO = gettext_noop(
    "It was made with something that the policy of %(host)s forbids (%(rule)s). %(reason)s Who manages the host can make "
    "it anew, or change the policy."
)
Check = Callable[[Rules], Iterable[Refusal]]


class Finds(Protocol):
    """Asks an engine for what is at a path: None where there is nothing."""

    def find(self, path: str) -> Any:
        """The decoded answer."""


@dataclass(frozen=True)
class Names:
    """hosts.policy.refusals.Lookup on a host, for `actor`. Without `engine` volumes, networks and images are not looked at
    yet: that is done before the engine makes anything of them."""

    actor: Any
    host: Host
    engine: Finds | None = None

    def _found(self, path: str) -> Mapping[str, Any] | None:
        found = self.engine.find(path) if self.engine else None
        return found if isinstance(found, dict) else None

    def volume(self, name: str) -> Mapping[str, Any] | None:
        """Its inspect answer."""
        return self._found(f"/volumes/{quote(name, safe='')}")

    def network(self, name: str) -> Mapping[str, Any] | None:
        """Its inspect answer."""
        return self._found(f"/networks/{quote(name, safe='')}")

    def image(self, name: str) -> Mapping[str, Any] | None:
        """Its inspect answer."""
        return self._found(f"/images/{quote(name, safe='/:@')}/json")

    def container(self, name: str) -> Mapping[str, Any] | None:
        """Its inspect answer, {} without an engine, None unless the actor operates it."""
        try:
            row = get_container(self.actor, self.host.name, name)
        except NotFound:
            return None
        if not may(self.actor, Right.CONTAINERS_OPERATE, row):
            return None
        return self._found(f"/containers/{row.engine_id}/json") or {}


@dataclass(frozen=True)
class Rows(Names):
    """The same on one host of a swarm, whose `engine` is that of a manager: volumes as they are known here."""

    def volume(self, name: str) -> Mapping[str, Any] | None:
        """Its driver and options."""
        row = Volume.objects.filter(host=self.host, name=name).first()
        return {"Driver": row.driver, "Options": row.data.get("options")} if row else None


# ---------------------------------------------------------------- whether it is allowed
def is_exempt(actor: Any, host: Host) -> bool:
    """Whether no policy holds for this person there."""
    return may(actor, Right.HOSTS_MANAGE, host)


def forbidden(actor: Any, host: Host) -> list[Any]:
    """What the policy there wholly forbids this person, in the reader's language; nothing for who is exempt."""
    return [] if is_exempt(actor, host) else [words.WORDS[name] for name in words.forbidden(in_force(host).rules)]


def allow(actor: Any, hosts: Iterable[Host], check: Check) -> None:
    """Raises PolicyRefused, with the others in `others`, unless the policy of each of these hosts allows it."""
    policies = list(Policy.objects.select_related("host"))
    for host in hosts:
        if is_exempt(actor, host):
            continue
        found = [one for rules in in_force(host, policies).rules for one in check(rules)]
        errors = [_error(host, one) for one in {(one.rule, one.field, str(one.params)): one for one in found}.values()]
        if errors:
            errors[0].others = list(errors[1:AT_MOST])
            raise errors[0]


def _error(host: Host, refusal: Refusal) -> PolicyRefused:
    told = {**refusal.params, "host": host.name, "rule": refusal.rule, "reason": refusal.template}
    return PolicyRefused(refusal.field, FORBIDDEN, told)


def allow_now(actor: Any, host: Host, action: str, target: str, check: Check) -> None:
    """`allow` before there is a job: who asked hears it at once, and it is in the audit."""
    _allow_now(actor, [host], host.name, action, target, check)


def allow_service_now(actor: Any, swarm: Swarm, action: str, target: str, body: Mapping[str, Any]) -> None:
    """The same of a service's specification, on all hosts of the swarm."""
    hosts = hosts_of(swarm)
    lookups = [Rows(actor, host) for host in hosts]
    _allow_now(actor, hosts, swarm.name, action, target, lambda rules: _of_service(body, rules, lookups))


def _allow_now(actor: Any, hosts: Iterable[Host], place: str, action: str, target: str, check: Check) -> None:
    try:
        allow(actor, hosts, check)
    except PolicyRefused as error:
        detail = {"reason": error.code, "rules": sorted({str(one.params["rule"]) for one in (error, *error.others)})}
        record(actor, action, target, host=place, outcome="refused", detail=detail)
        raise


# ---------------------------------------------------------------- bodies
def creation_check(actor: Any, host: Host, request: Create, engine: Finds | None = None) -> Check:
    """Of a container: of its body, and of the networks that it is connected to afterwards."""
    lookup = Names(actor, host, engine)

    def check(rules: Rules) -> Iterator[Refusal]:
        yield from containers.check_container(request.body, rules, lookup)
        for network, endpoint in request.connect:
            yield from networks.check_connect(network, {"EndpointConfig": endpoint}, rules, lookup, "networks")

    return check


def allow_creation(actor: Any, host: Host, request: Create, engine: Finds, *, is_there: bool = False) -> None:
    """A container that is to be made; `is_there`: anew, as it is. Raises PolicyRefused."""
    try:
        allow(actor, [host], creation_check(actor, host, request, engine))
    except PolicyRefused as error:
        if is_there:
            error.template = MADE_SO
        raise


def _of_service(body: Mapping[str, Any], rules: Rules, lookups: Iterable[Lookup]) -> Iterator[Refusal]:
    for lookup in lookups:  # a volume of that name may be on any of the swarm's hosts
        yield from services.check_service(body, rules, lookup)


def hosts_of(swarm: Swarm) -> list[Host]:
    """Where its tasks may run, as far as they are known here."""
    return [member.host for member in swarm.members.select_related("host")]


# ---------------------------------------------------------------- what goes through Asking
def _create(actor: Any, host: Host, engine: Finds, _ref: str, _params: Any, body: Any) -> Check:
    return creation_check(actor, host, Create({}, body), engine)


def _update(_actor: Any, _host: Host, _engine: Finds, _ref: str, _params: Any, body: Any) -> Check:
    return lambda rules: containers.check_update(body, rules)


def _service(actor: Any, host: Host, engine: Finds, ref: str, params: Any, body: Any) -> Check:
    if (params or {}).get("rollback"):  # the engine takes the specification before, whatever is sent
        body = (engine.find(f"/services/{ref}") or {}).get("PreviousSpec") or {}
    lookups = [Names(actor, host, engine), *(Rows(actor, other, engine) for other in _where(host, "/services/"))]
    return lambda rules: _of_service(body, rules, lookups)


def _volume(_actor: Any, _host: Host, _engine: Finds, _ref: str, _params: Any, body: Any) -> Check:
    return lambda rules: volumes.check_volume(body, rules)


def _network(actor: Any, host: Host, engine: Finds, _ref: str, _params: Any, body: Any) -> Check:
    return lambda rules: networks.check_network(body, rules, Names(actor, host, engine))


def _connect(actor: Any, host: Host, engine: Finds, ref: str, _params: Any, body: Any) -> Check:
    return lambda rules: networks.check_connect(unquote(ref), body, rules, Names(actor, host, engine))


def _named(_actor: Any, _host: Host, _engine: Finds, _ref: str, params: Any, _body: Any) -> Check:
    name, tag = (str((params or {}).get(part) or "") for part in ("repo", "tag"))
    return lambda rules: images.check_made(rules, "name") if name or tag else []


Made = Callable[[Any, Host, Finds, str, Any, Any], Check]
PATHS: dict[re.Pattern[str], Made] = {
    re.compile(r"/containers/create"): _create,
    re.compile(r"/containers/([^/]+)/update"): _update,
    re.compile(r"/services/create"): _service,
    re.compile(r"/services/([^/]+)/update"): _service,
    re.compile(r"/volumes/create"): _volume,
    re.compile(r"/networks/create"): _network,
    re.compile(r"/networks/([^/]+)/connect"): _connect,
    re.compile(r"/images/(.+)/tag"): _named,
}


def police(actor: Any, host: Host, engine: Finds, method: str, path: str, params: Any, body: Any) -> None:
    """Before `method` `path` is sent. Raises PolicyRefused."""
    if method not in {"POST", "PUT"}:
        return
    for pattern, made in PATHS.items():
        if found := pattern.fullmatch(path):
            ref = found[1] if pattern.groups else ""
            check = made(actor, host, engine, ref, params, body or {})
            allow(actor, _where(host, path), check)


def _where(host: Host, path: str) -> list[Host]:
    """A service's tasks run wherever its swarm has nodes."""
    member = getattr(host, "member", None) if path.startswith("/services/") else None
    return hosts_of(member.swarm) if member and member.swarm else [host]


# ---------------------------------------------------------------- what does not
def allow_volume(actor: Any, host: Host, body: Mapping[str, Any]) -> None:
    """A volume that is to be made. Raises PolicyRefused."""
    allow(actor, [host], lambda rules: volumes.check_volume(body, rules))


def allow_content(actor: Any, host: Host, volume: str, engine: Finds) -> None:
    """What is in a volume: of one that is a folder or disk of the host in disguise it would be that one's."""
    found = Names(actor, host, engine).volume(volume) or {}
    body = {"Name": volume, "Driver": found.get("Driver"), "DriverOpts": found.get("Options")}
    allow_volume(actor, host, body)


def allow_network(actor: Any, host: Host, body: Mapping[str, Any], engine: Finds) -> None:
    """A network that is to be made. Raises PolicyRefused."""
    lookup: Lookup = Names(actor, host, engine)
    allow(actor, [host], lambda rules: networks.check_network(body, rules, lookup))


def allow_connection(actor: Any, host: Host, network: str, body: Mapping[str, Any], engine: Finds) -> None:
    """A container's place in a network. Raises PolicyRefused."""
    lookup: Lookup = Names(actor, host, engine)
    allow(actor, [host], lambda rules: networks.check_connect(network, body, rules, lookup))


def allow_inside(actor: Any, container: Container, engine: Finds) -> None:
    """To go into a container, by a terminal or its files: who may not make one that reaches so much of the host may not
    be in it either. Raises PolicyRefused."""
    host = container.host
    if is_exempt(actor, host):
        return
    found = engine.find(f"/containers/{container.engine_id}/json") or {}
    lookup: Lookup = Names(actor, host, engine)
    allow(actor, [host], lambda rules: containers.check_reach(found, rules, lookup))


def build_check(actor: Any, host: Host, query: Iterable[tuple[str, str]], engine: Finds | None = None) -> Check:
    """Of a build."""
    lookup: Lookup = Names(actor, host, engine)
    return lambda rules: builds.check_build(query, rules, lookup)


def allow_made_image(actor: Any, host: Host, field: str = "") -> None:
    """An image whose content comes from elsewhere than a registry. Raises PolicyRefused."""
    allow(actor, [host], lambda rules: images.check_made(rules, field))


def pull_check(name: str, tag: str) -> Check:
    """Of a pull; without a tag, of all of them."""
    return lambda rules: images.check_pull(name, tag, rules)
