"""Registries and their accounts over REST. A secret goes in and never comes out."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Query

from accounts.rights import Right
from api.auth import needs
from api.bodies import changes_in, valid
from api.lists import Limit, Many, Offset, many
from hosts import filters, logins
from hosts.access import get_account, get_registry
from hosts.actions.containers import browse
from hosts.actions.registries import registries
from hosts.forms.registries import AccountForm, RegistryForm, values_of
from hosts.models import Registry, RegistryAccount

router = Router(tags=["registries"])
suggestions = Router(tags=["registries"])


class RegistryIn(Schema):
    """`address` is host[:port]; `ca` PEM text."""

    name: str
    address: str
    plain_http: bool = False
    ca: str = ""


class RegistryChange(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    address: str | None = None
    plain_http: bool | None = None
    ca: str | None = None


class AccountIn(Schema):
    """A login: a password or an access token. `team` is the one whose members use it, "" for the installation's, which
    are used by all who may see registries, or by `only_managers` of these."""

    username: str
    secret: str
    is_default: bool = False
    team: str = ""
    only_managers: bool = False


class AccountChange(Schema):
    """What is to change; what is left out stays."""

    username: str | None = None
    secret: str | None = None
    is_default: bool | None = None
    team: str | None = None
    only_managers: bool | None = None


class Check(Schema):
    """With which account to log in; without one it only connects."""

    account: int | None = None


Account = Query(None, description="an account's id; the default account unless given")
Page = Query(1, ge=1, le=10_000)


class Found(Many):
    """A page of what a registry has; `more`: the registry has more than were looked at."""

    more: bool
    page: int


def show(actor: Any, registry: Registry) -> dict[str, Any]:
    """A registry as JSON, with the accounts that `actor` sees."""
    accounts = RegistryAccount.objects.filter(registry=registry).visible_to(actor)
    return {
        "name": registry.name,
        "address": registry.address,
        "plain_http": registry.plain_http,
        "ca": registry.ca,
        "accounts": [show_account(account) for account in accounts],
    }


def show_account(account: RegistryAccount) -> dict[str, Any]:
    """An account as JSON: never its secret."""
    return {"id": account.pk, **values_of(account)}


@router.get("", response=Many)
@needs(Right.REGISTRIES_VIEW)
def registry_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All registries, with their accounts; `search` as on the page."""
    rows = Registry.objects.visible_to(request.user)
    rows, _ = filters.REGISTRIES.ordered(filters.REGISTRIES.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, partial(show, request.user))


@router.post("", response={201: dict})
@needs(Right.REGISTRIES_MANAGE)
def registry_add(request: HttpRequest, body: RegistryIn) -> Any:
    """Adds a registry."""
    return 201, show(request.user, registries.add(request.user, valid(RegistryForm(body.dict())).fill(Registry())))


@router.get("/{registry}", response=dict)
@needs(Right.REGISTRIES_VIEW)
def registry_get(request: HttpRequest, registry: str) -> Any:
    """One registry."""
    return show(request.user, get_registry(request.user, registry))


@router.patch("/{registry}", response=dict)
@needs(Right.REGISTRIES_MANAGE)
def registry_change(request: HttpRequest, registry: str, body: RegistryChange) -> Any:
    """Changes it. With accounts its address stays, and encryption stays on."""
    found = get_registry(request.user, registry, Right.REGISTRIES_MANAGE)
    values = {name: getattr(found, name) for name in ("name", "address", "plain_http", "ca")} | changes_in(body)
    form = valid(RegistryForm(values, registry=found))
    return show(request.user, registries.change(request.user, form.fill(Registry.objects.get(pk=found.pk))))


@router.delete("/{registry}", response={204: None})
@needs(Right.REGISTRIES_MANAGE)
def registry_remove(request: HttpRequest, registry: str) -> Any:
    """Forgets it with its accounts; nothing in the registry is touched."""
    registries.remove(request.user, get_registry(request.user, registry, Right.REGISTRIES_MANAGE))
    return 204, None


@router.post("/{registry}/check", response=dict)
@needs(Right.REGISTRIES_MANAGE)
def registry_check(request: HttpRequest, registry: str, body: Check | None = None) -> Any:
    """Connects, and logs in with an account; `login` is how it wants one: token, password or none."""
    found = get_registry(request.user, registry, Right.REGISTRIES_MANAGE)
    pk = body.account if body else None
    account = get_account(request.user, found, pk, Right.REGISTRIES_MANAGE) if pk is not None else None
    how = registries.test(request.user, found.place(), account.login() if account else None, found.name)
    return {"login": how}


# ---------------------------------------------------------------- what is in it
@router.get("/{registry}/repositories", response=Found)
@needs(Right.REGISTRIES_VIEW)
def repository_list(
    request: HttpRequest, registry: str, search: str = "", account: int | None = Account, page: int = Page
) -> Any:
    """Names of repositories, asked of the registry now; of Docker Hub, which lists none, what a search finds."""
    found = browse.repositories(
        request.user, get_registry(request.user, registry), account=account, search=search[:100], page=page
    )
    return _found(found, lambda row: {"name": row if isinstance(row, str) else row.name})


@router.get("/{registry}/tags", response=Found)
@needs(Right.REGISTRIES_VIEW)
def tag_list(
    request: HttpRequest,
    registry: str,
    repository: str,
    search: str = "",
    account: int | None = Account,
    page: int = Page,
) -> Any:
    """Tags of a repository with digest, platforms and bytes; `problem` where a tag could not be looked at."""
    found = get_registry(request.user, registry)
    part = browse.tags(request.user, found, repository, account=account, search=search[:100], page=page)
    return _found(part, _show_tag)


@router.delete("/{registry}/tags", response={204: None})
@needs(Right.REGISTRIES_MANAGE)
def tag_remove(
    request: HttpRequest, registry: str, repository: str, tag: str, digest: str, account: int | None = Account
) -> Any:
    """Deletes the image that the tag stands for, with all tags that do, if its digest is still this one."""
    found = get_registry(request.user, registry, Right.REGISTRIES_MANAGE)
    chosen = get_account(request.user, found, account, Right.REGISTRIES_MANAGE) if account is not None else None
    registries.delete_tag(request.user, found, repository, tag, digest=digest, account=chosen)
    return 204, None


class Suggested(Many):
    """Names of tags; `problem` says why there are none, `more` that the registry has others."""

    items: list[str]  # type: ignore[assignment]
    more: bool
    problem: str


@suggestions.get("", response=Suggested)
@needs(Right.REGISTRIES_VIEW)
def image_tags(request: HttpRequest, image: str, search: str = "") -> Any:
    """Tags for an image's name that is being typed (nginx, ghcr.io/team/app), the latest versions first."""
    return browse.suggest(request.user, image[:500], search[:100])


def _found(part: browse.Part, shown: Any) -> dict[str, Any]:
    return {"items": [shown(row) for row in part.items], "count": part.count, "more": part.more, "page": part.page}


def _show_tag(tag: Any) -> dict[str, Any]:
    platforms = [{"platform": each.name, "digest": each.digest, "size": each.size} for each in tag.platforms]
    told = {"name": tag.name, "digest": tag.digest, "size": tag.size, "platforms": platforms}
    return {**told, "problem": str(tag.error) if tag.error else ""}


# ---------------------------------------------------------------- accounts
@router.post("/{registry}/accounts", response={201: dict})
@needs(Right.REGISTRIES_MANAGE)
def account_add(request: HttpRequest, registry: str, body: AccountIn) -> Any:
    """Stores a login, encrypted."""
    found = get_registry(request.user, registry, Right.REGISTRIES_MANAGE)
    form = valid(AccountForm(body.dict(), teams=logins.teams_for(request.user)))
    return 201, show_account(registries.add_account(request.user, found, **form.cleaned_data))


@router.patch("/{registry}/accounts/{account}", response=dict)
@needs(Right.REGISTRIES_MANAGE)
def account_change(request: HttpRequest, registry: str, account: int, body: AccountChange) -> Any:
    """Changes a login; another user needs the secret again."""
    found = _account(request, registry, account)
    values = values_of(found) | {"secret": ""}
    if body.team not in (None, values["team"]):
        values["is_default"] = False  # there may be one there
    values |= changes_in(body)
    form = valid(AccountForm(values, teams=logins.teams_for(request.user, found), account=found))
    return show_account(registries.change_account(request.user, found, **form.cleaned_data))


@router.delete("/{registry}/accounts/{account}", response={204: None})
@needs(Right.REGISTRIES_MANAGE)
def account_remove(request: HttpRequest, registry: str, account: int) -> Any:
    """Forgets a login."""
    registries.remove_account(request.user, _account(request, registry, account))
    return 204, None


def _account(request: HttpRequest, registry: str, account: int) -> RegistryAccount:
    found = get_registry(request.user, registry, Right.REGISTRIES_MANAGE)
    return get_account(request.user, found, account, Right.REGISTRIES_MANAGE)
