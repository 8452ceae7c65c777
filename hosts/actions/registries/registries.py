"""What can be done to registries and their accounts: add, change, test, remove."""

from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference, told
from accounts.models import Team
from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts.access import EVERYWHERE, may
from hosts.actions.act import demand, failure
from hosts.engine.errors import EngineError
from hosts.logins import teams_for
from hosts.models import Registry, RegistryAccount
from hosts.registry import content
from hosts.registry.client import Client
from hosts.registry.names import DIGEST, HUB, REPOSITORY, TAG
from hosts.registry.places import Login, Place

TOLD = ("name", "address", "plain_http", "inside")
ACCOUNT = ("username", "is_default", "only_managers")  # not the secret


def add(actor: Any, registry: Registry) -> Registry:
    """Stores a new registry."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    with transaction.atomic():
        registry.inside = _may_be_inside(actor, registry.address)
        registry.save(force_insert=True)
        record(actor, "registry.add", registry.name, detail=difference({}, told(registry, *TOLD, marked=("ca",))))
    return registry


def add_hub(actor: Any) -> None:
    """Docker Hub is always there."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    name = "docker-hub" if not Registry.objects.filter(name="docker-hub").exists() else "docker.io"
    if not Registry.objects.filter(address=HUB).exists():
        add(actor, Registry(name=name.replace(".", "-"), address=HUB))


def change(actor: Any, registry: Registry) -> Registry:
    """Stores a changed registry. Stored logins never move to another address: whoever may change a registry would read
    them there."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    with transaction.atomic():
        old = Registry.objects.get(pk=registry.pk)
        if old.is_hub and registry.address != old.address:
            raise Invalid("address", gettext_noop("This is Docker Hub. Add another registry for another address."))
        if old.accounts.exists():
            if registry.address != old.address:
                raise Invalid(
                    "address",
                    gettext_noop(
                        "Accounts are stored for this address, and their passwords must not go to another one. Remove "
                        "them first, or add another registry."
                    ),
                )
            if registry.plain_http and not old.plain_http:
                raise Invalid(
                    "plain_http",
                    gettext_noop(
                        "Accounts are stored for it, and their passwords would travel readable from now on. Remove "
                        "them first, and add them again."
                    ),
                )
        registry.inside = _may_be_inside(actor, registry.address)
        registry.save(update_fields=["name", "address", "ca", "plain_http", "inside"])
        detail = {"address": registry.address} | difference(
            told(old, *TOLD, marked=("ca",)), told(registry, *TOLD, marked=("ca",))
        )
        record(actor, "registry.change", registry.name, detail=detail)
    return registry


def remove(actor: Any, registry: Registry) -> None:
    """Forgets a registry with its accounts. Nothing in the registry itself is touched."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    if registry.is_hub:
        raise Conflict(gettext_noop("Docker Hub stays: images without a registry's address come from there."))
    with transaction.atomic():
        record(actor, "registry.remove", registry.name, detail=difference(told(registry, *TOLD, marked=("ca",)), {}))
        registry.delete()


def test(actor: Any, place: Place, login: Login | None = None, name: str = "") -> str:
    """Connects, and logs in if there is a login; how the registry wants a login: "token", "password" or "none"."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    detail = {"user": login.username} if login else {}
    place = replace(place, inside=_may_be_inside(actor, place.address))
    try:
        with Client(place, login) as client:
            how = client.ping()
    except EngineError as error:
        record(actor, "registry.test", name or place.address, outcome="failed", detail={**detail, "reason": error.code})
        raise failure(error) from error
    record(actor, "registry.test", name or place.address, detail=detail)
    return how


def delete_tag(
    actor: Any, registry: Registry, repository: str, tag: str, *, digest: str, account: RegistryAccount | None = None
) -> None:
    """Deletes the image that a tag stands for, with all its tags, if it is the one with that digest still."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    for field, rule, value in (("repository", REPOSITORY, repository), ("tag", TAG, tag), ("digest", DIGEST, digest)):
        if not rule.fullmatch(value):
            raise Invalid(field, gettext_noop("This is none. Copy it from the list of tags."))
    target, detail = f"{registry.address}/{repository}:{tag}", {"digest": digest}
    rows = RegistryAccount.objects.usable(actor).filter(registry=registry)
    if account is not None and not rows.filter(pk=account.pk).exists():
        raise Invalid("account", gettext_noop("There is no such account. Choose one of the list."))
    chosen = account or rows.first()
    try:
        with Client(registry.place(), chosen.login() if chosen else None) as client:
            content.delete(client, repository, tag, digest)
    except EngineError as error:
        record(actor, "registry.tag.remove", target, outcome="failed", detail={**detail, "reason": error.code})
        raise failure(error) from error
    record(actor, "registry.tag.remove", target, detail=detail)


# ---------------------------------------------------------------- accounts
def add_account(
    actor: Any,
    registry: Registry,
    *,
    username: str,
    secret: str,
    is_default: bool = False,
    team: str = "",
    only_managers: bool = False,
) -> RegistryAccount:
    """Stores a login. The first one of a registry, and of a team there, is used where nobody chooses another. `team`: the
    name of the one whose it is, "" for the installation. Raises Denied, and Invalid."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    account = RegistryAccount(registry=registry, username=username, secret=secret)
    account.team, account.only_managers = _team(actor, account, team), only_managers and not team
    return _store(actor, "registry.account.add", account, is_default)


def change_account(
    actor: Any,
    account: RegistryAccount,
    *,
    username: str,
    secret: str = "",
    is_default: bool = False,
    team: str = "",
    only_managers: bool = False,
) -> RegistryAccount:
    """Changes a login; an empty `secret` keeps the stored one, but not when it is taken from a team: who stored it for
    that team gave it to no other. Raises Denied, and Invalid."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    found = _team(actor, account, team)
    if account.team is not None and account.team != found and not secret:
        raise Invalid(
            "secret",
            gettext_noop("It is %(team)s's: enter its password to take it from there."),
            {"team": account.team},
        )
    was = account.team_id
    account.team, account.only_managers = found, only_managers and not team
    account.username = username
    account.secret = secret or account.secret
    stored = _store(actor, "registry.account.change", account, is_default)
    if was != account.team_id:
        _keep_default(account.registry, was)
    return stored


def _team(actor: Any, account: RegistryAccount, name: str) -> Team | None:
    if not name:
        return None
    found = Team.objects.filter(name=name).first() if name in teams_for(actor, account) else None
    if found is None:
        raise Invalid("team", gettext_noop("There is no team called %(name)s."), {"name": name[:63]})
    return found


def _keep_default(registry: Registry, team: int | None) -> None:
    """One of those that are left of a team, or of the installation, is the default one."""
    left = RegistryAccount.objects.filter(registry=registry, team=team).first()
    if left is not None and not left.is_default:
        left.is_default = True
        left.save(update_fields=["is_default"])


def remove_account(actor: Any, account: RegistryAccount) -> None:
    """Forgets a login; another one becomes the default."""
    demand(actor, Right.REGISTRIES_MANAGE, EVERYWHERE)
    with transaction.atomic():
        detail = {"registry": account.registry.name} | difference(_told(account), {})
        record(actor, "registry.account.remove", account.username, detail=detail)
        account.delete()
        _keep_default(account.registry, account.team_id)


def _store(actor: Any, action: str, account: RegistryAccount, is_default: bool) -> RegistryAccount:
    others = RegistryAccount.objects.filter(registry=account.registry, team=account.team).exclude(pk=account.pk)
    try:
        with transaction.atomic():
            if is_default:
                others.update(is_default=False)
            account.is_default = is_default or not others.filter(is_default=True).exists()
            old = RegistryAccount.objects.filter(pk=account.pk).first()
            account.save()
            was, detail = _told(old) if old else {}, {"registry": account.registry.name}
            if old and old.secret != account.secret:
                detail["secret"] = "changed"
            record(actor, action, account.username, detail=detail | difference(was, _told(account)))
    except IntegrityError as error:
        raise Invalid(
            "username", gettext_noop("There is an account of this name at this registry already. Change that one.")
        ) from error
    return account


def _may_be_inside(actor: Any, address: str) -> bool:
    """Whether Dermaga goes into private networks for it: for who manages all hosts, and where one of them stored it."""
    stored = Registry.objects.filter(address=address, inside=True)
    return may(actor, Right.HOSTS_MANAGE, EVERYWHERE) or stored.exists()


def _told(account: RegistryAccount) -> dict[str, Any]:
    return told(account, *ACCOUNT) | {"team": account.team.name if account.team else ""}
