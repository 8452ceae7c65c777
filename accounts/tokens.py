"""API tokens: made, removed, and whom they let in from where."""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import origin, own
from accounts.audit import record
from accounts.differences import difference, told
from accounts.models import ApiToken, Team, User
from accounts.models.teams import host_model
from accounts.rights import Limits, Right, System, allows, rights_of
from accounts.teams import visible_teams
from common.errors import Conflict, Denied, DermagaError, Invalid, NotFound

NETWORKS_AT_MOST = 50
NO_HOST = gettext_noop("There is no host called %(name)s that this account sees.")
NO_TEAM = gettext_noop("There is no team called %(name)s that this account is in.")
NAME_AT_MOST = 100


# ---------------------------------------------------------------- whom they let in
class TokenRefused(DermagaError):
    """Nobody is let in by it; `code` says why."""

    status = 401


class TokenUnknown(TokenRefused):
    """Never made, or removed: nobody can tell."""

    code = "token_unknown"
    template = gettext_noop("There is no such API token, or it was removed.")


class TokenExpired(TokenRefused):
    """Its time is over."""

    code = "token_expired"
    template = gettext_noop("This API token has expired. Make another one.")


class TokenElsewhere(TokenRefused):
    """Used from outside of its networks."""

    code = "token_address"
    template = gettext_noop("This API token may not be used from this address.")


class AccountDisabled(TokenRefused):
    """Its user may not log in either."""

    code = "account_disabled"
    template = gettext_noop("The account of this API token is disabled.")


def user_of(token: str, address: str) -> User:
    """The user of a token that is used from `address`, narrowed to what the token is for; remembers, to the minute, when
    and from where it was used last. Raises TokenRefused."""
    found = ApiToken.objects.select_related("user").filter(digest=ApiToken.hash(token)).first()
    if found is None:
        raise TokenUnknown
    if not found.user.is_active:
        raise AccountDisabled
    if found.is_over:
        raise TokenExpired
    if found.networks and not is_within(address, found.networks):
        raise TokenElsewhere
    _remember(found, address[:64])
    user: User = found.user
    user.token = found
    user.narrowed = _limits(found)
    return user


def _limits(token: ApiToken) -> Limits | None:
    """What it is for; a right, host or team that is not there any more is none."""
    if token.scope is None and token.hosts is None and token.teams is None:
        return None
    known = set(Right)
    keys = () if token.teams is None else Team.objects.filter(name__in=token.teams).values_list("pk", flat=True)
    return Limits(
        None if token.scope is None else frozenset(Right(name) for name in token.scope if name in known),
        None if token.hosts is None else frozenset(token.hosts),
        None if token.teams is None else frozenset(keys),
    )


def let_in(token: str) -> User:
    """The same for what is being done now, which is said to be done by the token in the audit. Raises TokenRefused."""
    came = origin.current()
    user = user_of(token, came.address)
    came.via = f"token {user.token}"
    return user


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip  # how a socket of both families sees IPv4
    return any(ip in ipaddress.ip_network(network) for network in networks)


def _remember(token: ApiToken, address: str) -> None:
    now = timezone.now()
    if token.last_used and now - token.last_used < timedelta(minutes=1) and token.last_address == address:
        return
    ApiToken.objects.filter(pk=token.pk).update(last_used=now, last_address=address)


# ---------------------------------------------------------------- acts
def of(user: User) -> list[ApiToken]:
    """By name."""
    return list(ApiToken.objects.filter(user=user).order_by("name"))


def get(user: User, pk: int) -> ApiToken:
    """One of them. Raises NotFound."""
    found = ApiToken.objects.select_related("user").filter(user=user, pk=pk).first()
    if found is None:
        raise NotFound
    return found


def make(
    actor: User | System,
    user: User,
    name: str,
    *,
    scope: Iterable[str] | None = None,
    hosts: Iterable[str] | None = None,
    teams: Iterable[str] | None = None,
    networks: Sequence[str] = (),
    expires: datetime | None = None,
) -> str:
    """A new token, for these rights, on these hosts, for what these teams own, by name (None: for all of them): the only
    time that it can be seen. Raises Denied, Invalid, Conflict."""
    own.require(actor, user, "token.create")
    _require_no_limits(actor)
    name = name.strip()
    if not name or len(name) > NAME_AT_MOST or "\0" in name:
        raise Invalid("name", gettext_noop("A name has 1 to 100 characters."))
    limits = {
        "scope": checked_scope(user, scope),
        "hosts": _checked("hosts", NO_HOST, hosts, visible_hosts(user)),
        "teams": _checked("teams", NO_TEAM, teams, visible_teams(user)),
        "networks": checked_networks(networks),
        "expires": expires,
    }
    if expires is not None and expires <= timezone.now():
        raise Invalid("expires", gettext_noop("This time is over already. Choose one that is to come."))
    try:
        with transaction.atomic():
            token = ApiToken.make(user, name, **limits)  # type: ignore[arg-type]
            now = limits | {"expires": expires.isoformat() if expires else None}
            record(actor, "token.create", name, detail={"user": user.username} | difference({}, now))
    except IntegrityError as error:
        words = gettext_noop("%(user)s has a token called %(name)s already. Choose another name.")
        raise Conflict(words, {"user": user.username, "name": name}) from error
    return token


def _require_no_limits(actor: User | System) -> None:
    """A token does not get around its own limits by making another one."""
    by = actor.token if isinstance(actor, User) else None
    if by is not None and by.is_limited and not allows(actor, Right.USERS_MANAGE):
        raise Denied(gettext_noop("A token with limits makes no other tokens. Log in to make one."))


def checked_scope(user: User, scope: Iterable[str] | None) -> list[str] | None:
    """The rights by name, each of which the user has. Raises Invalid."""
    if scope is None:
        return None
    has = {str(right) for right in rights_of(user)} - {Right.PUBLIC, Right.LOGIN}
    for name in scope:
        if name not in set(Right):
            raise Invalid("scope", gettext_noop("There is no right called %(right)s."), {"right": str(name)[:60]})
        if name not in has:
            words = gettext_noop("%(user)s does not have the right %(right)s: a token cannot have it either.")
            raise Invalid("scope", words, {"user": user.username, "right": name})
    return sorted(set(scope))


def visible_hosts(user: User) -> Any:
    """The hosts that the account may see."""
    reach, rows = user.standing.reach(Right.HOSTS_VIEW), host_model().objects.order_by("name")
    return rows if reach.everywhere else rows.filter(name__in=reach.hosts)


def _checked(field: str, sentence: str, names: Iterable[str] | None, rows: Any) -> list[str] | None:
    """The names, each of which is one of `rows`. Raises Invalid."""
    if names is None:
        return None
    wanted = {str(name) for name in names}
    known = set(rows.filter(name__in=[name for name in wanted if "\0" not in name]).values_list("name", flat=True))
    for name in sorted(wanted - known):
        raise Invalid(field, sentence, {"name": name[:63]})
    return sorted(wanted)


def checked_networks(networks: Sequence[str]) -> list[str]:
    """Each as 10.0.0.0/8 is written. Raises Invalid."""
    if len(networks) > NETWORKS_AT_MOST:
        raise Invalid("networks", gettext_noop("There may be 50 networks at most."))
    found = []
    for written in networks:
        try:
            found.append(str(ipaddress.ip_network(written.strip(), strict=False)))
        except ValueError as error:
            words = gettext_noop("%(network)s is no network. Write it like 10.8.0.0/16 or 2001:db8::/32.")
            raise Invalid("networks", words, {"network": written[:60]}) from error
    return found


def remove(actor: User | System, token: ApiToken) -> None:
    """Nobody is let in by it any more, and its sockets close within seconds. Raises Denied."""
    own.require(actor, token.user, "token.remove")
    with transaction.atomic():
        was = told(token, "scope", "hosts", "teams", "networks")
        was |= {"expires": token.expires.isoformat() if token.expires else None}
        token.delete()
        record(actor, "token.remove", token.name, detail={"user": token.user.username} | difference(was, {}))
