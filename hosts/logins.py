"""With which account an engine logs in to an image's registry: chosen when a job is started, opened when it runs.

A job keeps the number of an account and never what is secret in it; the password goes to the engine that pulls or
pushes, in a header, and only for images of the account's registry.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import Team
from accounts.rights import Right
from accounts.teams import visible_teams
from common.errors import Failure, Invalid
from hosts.access import EVERYWHERE, may
from hosts.engine.errors import EngineError
from hosts.models import Registry, RegistryAccount
from hosts.registry import content
from hosts.registry.client import SECONDS, Client
from hosts.registry.login import basic
from hosts.registry.names import parse_reference
from jobs.run import JobContext

NOBODY = 0  # instead of an account: without login, although the registry has a default account
NO_LOGIN = urlsafe_b64encode(b"{}").decode()  # where an engine wants the header whatever is in it
NO_HEADERS = {"X-Registry-Auth": NO_LOGIN}


@dataclass(frozen=True)
class Opened:
    """What goes to the engine: `headers` are secret. `user` is "" where nobody logs in."""

    registry: str
    user: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def usable(actor: Any) -> Any:
    """The accounts that somebody may let an engine log in with: of each registry the own team's first, then the default
    one."""
    rows = RegistryAccount.objects.usable(actor)
    return rows.order_by("registry__name", *rows.query.order_by)


def teams_for(actor: Any, account: RegistryAccount | None = None) -> list[str]:
    """Names of the teams that an account may be given to by `actor`, and of the one that has it."""
    everybodys = may(actor, Right.HOSTS_MANAGE, EVERYWHERE)
    found = Team.objects.all() if everybodys else visible_teams(actor)
    return sorted(
        set(found.values_list("name", flat=True)) | ({account.team.name} if account and account.team else set())
    )


def registry_of(image: str) -> str:
    """The address of an image's registry; "" for what is no image's name."""
    reference = parse_reference(image)
    return reference.registry if reference else ""


def choose(
    actor: Any, image: str, choice: "str | int | None", name: str = "account", *, team: int | None = None
) -> int | None:
    """What a job keeps: an account's number, NOBODY, or None for the default account of the image's registry then.
    `choice` is what was picked: "" or None, "none" or 0, or a number; `team` for which team it is done. Raises Invalid at
    the field `name`."""
    text = "" if choice is None else str(choice).strip()
    if text in {"", "none", "0"}:
        return None if text == "" else NOBODY
    rows = RegistryAccount.objects.usable(actor, team)
    account = rows.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 16 else None
    if account is None:
        raise Invalid(name, gettext_noop("There is no such account. Choose one of the list."))
    if account.registry.address != registry_of(image):
        words = {"user": account.username, "its": account.registry.address, "registry": registry_of(image) or "?"}
        raise Invalid(
            name,
            gettext_noop("%(user)s is an account of %(its)s, and the image is at %(registry)s. Choose another one."),
            words,
        )
    return int(account.pk)


def open_login(context: JobContext, image: str, account: int | None, *, always: bool = False) -> Opened:
    """For a job that is running: what the engine is to be sent for `image`, hidden in all that the job says. `always`:
    a header also where nobody logs in. Raises Failure when the account is gone, or not theirs any more."""
    address = registry_of(image)
    found = _account(address, account, context.job.by, context.job.team_id)
    if found is None:
        return Opened(address, "", dict(NO_HEADERS) if always else {})
    return Opened(address, found.username, {"X-Registry-Auth": sealed(context, found)})


def _account(address: str, account: int | None, actor: Any, team: int | None) -> RegistryAccount | None:
    if account == NOBODY:
        return None
    rows = RegistryAccount.objects.usable(actor, team).filter(registry__address=address)
    if account is None:
        return rows.first()
    found = rows.filter(pk=account).first()
    if found is None:
        sentence = gettext_noop("The account to log in to %(registry)s with is gone. Start it with another one.")
        raise Failure("no_account", 404, sentence, {"registry": address})
    return found


def choose_some(actor: Any, choices: Iterable[str | int], name: str = "accounts") -> list[int]:
    """The numbers of accounts that were picked, one of each registry at most. Raises Invalid at the field `name`."""
    texts = [str(choice).strip() for choice in choices if str(choice).strip()]
    numbers = {int(text) for text in texts if text.isdecimal() and len(text) < 16}
    found = list(usable(actor).filter(pk__in=numbers))
    if len(found) != len(set(texts)):
        raise Invalid(name, gettext_noop("There is no such account. Choose one of the list."))
    addresses = [account.registry.address for account in found]
    for address in addresses:
        if addresses.count(address) > 1:
            raise Invalid(name, gettext_noop("Choose one account of %(registry)s."), {"registry": address})
    return sorted(account.pk for account in found)


def open_some(
    context: JobContext, addresses: Collection[str] | None, accounts: Collection[int], *, defaults: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """For a build that is running: the header with the logins to the registries at `addresses` (None: which ones are
    needed is not known), and who logs in by address. Chosen `accounts` come before the `defaults` of other registries.
    Raises Failure when a chosen account is gone."""
    rows = RegistryAccount.objects.usable(context.job.by, context.job.team_id)
    chosen = {account.registry.address: account for account in rows.filter(pk__in=accounts)}
    if len(chosen) != len(accounts):
        sentence = gettext_noop("An account that this should log in with is gone. Start it with another one.")
        raise Failure("no_account", 404, sentence)
    if defaults:  # the first of a registry is the one that counts
        chosen = {account.registry.address: account for account in reversed(rows.filter(is_default=True))} | chosen
    found = {address: account for address, account in chosen.items() if addresses is None or address in addresses}
    if not found:
        return {}, {}
    config = {account.registry.server: config_of(account) for account in found.values()}
    value = urlsafe_b64encode(json.dumps(config).encode()).decode()
    for account in found.values():
        hide(context, account, value)
    return {"X-Registry-Config": value}, {address: account.username for address, account in found.items()}


def count_tags(
    actor: Any, image: str, account: int | None, *, team: int | None = None, seconds: float = SECONDS
) -> int | None:
    """How many tags a repository has, as its registry says within `seconds`, asked for `actor`; None when it does not, or
    is not stored here. Raises Failure when the account is gone."""
    reference = parse_reference(image)
    registry = Registry.objects.filter(address=reference.registry).first() if reference else None
    if reference is None or registry is None:
        return None
    found = _account(registry.address, account, actor, team)
    login = found.login() if found else None
    with suppress(EngineError), Client(registry.place(), login, seconds=seconds) as client:
        names, more = content.tags(client, reference.repository)
        return None if more else len(names)
    return None


def sealed(context: JobContext, account: RegistryAccount) -> str:
    """The account as the value of X-Registry-Auth; neither it nor what is in it shows in what the job says."""
    value = urlsafe_b64encode(json.dumps(config_of(account)).encode()).decode()
    hide(context, account, value)
    return value


def config_of(account: RegistryAccount) -> dict[str, str]:
    """The account as engines read it."""
    return {"username": account.username, "password": account.secret, "serveraddress": account.registry.server}


def hide(context: JobContext, account: RegistryAccount, *more: str) -> None:
    """Lets the job never say what is secret in the account, in whatever form an engine may repeat it."""
    context.hide(account.secret, basic(account.login()).removeprefix("Basic "), *more)
