"""Managed plugins over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, UploadedFile

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_host, get_plugin
from hosts.actions.plugins import plugin_moves, plugins
from hosts.actions.short import soon
from hosts.models import Plugin

router = Router(tags=["plugins"])


class Privilege(Schema):
    """One of what a plugin asks for, as `privileges` tells it."""

    name: str
    description: str = ""
    value: list[str] = []


class Look(Schema):
    """Which plugin: name:tag, with its registry. `account` is an account's id, 0 for no login, the registry's default
    account unless given."""

    plugin: str
    account: int | None = None


class Install(Look):
    """`privileges` are those that are granted; `alias` is its name on the host."""

    privileges: list[Privilege]
    alias: str = ""
    enable: bool = True


class Upgrade(Schema):
    """`plugin` is the version to go to, its own reference unless named."""

    privileges: list[Privilege]
    plugin: str = ""
    account: int | None = None


class Push(Schema):
    """With which account, as for a look."""

    account: int | None = None


class Options(Schema):
    """What acts take: enable `timeout` in seconds; disable and remove `force`; configure `settings` (NAME=value)."""

    timeout: int = 30
    force: bool = False
    settings: list[str] = []


def show(plugin: Plugin) -> dict[str, Any]:
    """A plugin as JSON; values of its environment are not in it."""
    return {
        "host": plugin.host.name,
        "id": plugin.engine_id,
        "name": plugin.name,
        "reference": plugin.reference,
        "state": plugin.state,
        "description": plugin.description,
        **plugin.data,
    }


@router.get("", response=Many)
@needs(Right.PLUGINS_VIEW)
def plugin_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All plugins; the same filters as the page: search, host, state, kind."""
    rows = filters.with_state(Plugin.objects.visible_to(request.user).select_related("host"))
    rows, _ = filters.PLUGINS.ordered(filters.PLUGINS.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/{host}/privileges", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_privileges(request: HttpRequest, host: str, body: Look) -> Any:
    """Starts a job whose result says what a plugin asks for on its host, in `privileges`; nothing is installed."""
    found = get_host(request.user, host)
    return 202, {"job": plugins.start_look(request.user, found, body.plugin, account=body.account).pk}


@router.post("/{host}/create", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_create(request: HttpRequest, host: str, file: File[UploadedFile], name: Form[str]) -> Any:
    """Starts a job that makes the plugin `name` of a tar with config.json and rootfs/."""
    return 202, {"job": plugin_moves.start_create(request.user, get_host(request.user, host), name, file).pk}


@router.post("/{host}/install", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_install(request: HttpRequest, host: str, body: Install) -> Any:
    """Starts a job that installs it; it fails when the plugin asks for something else than what is granted."""
    found, granted = get_host(request.user, host), [entry.dict() for entry in body.privileges]
    more: dict[str, Any] = {"alias": body.alias, "enable": body.enable, "account": body.account}
    job = plugins.start_install(request.user, found, body.plugin, granted, **more)
    return 202, {"job": job.pk}


@router.get("/{host}/{plugin}", response=dict)
@needs(Right.PLUGINS_VIEW)
def plugin_get(request: HttpRequest, host: str, plugin: str) -> Any:
    """One plugin, by id, unique prefix of its id, or a name without a slash."""
    return show(get_plugin(request.user, host, plugin))


@router.post("/{host}/{plugin}/upgrade", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_upgrade(request: HttpRequest, host: str, plugin: str, body: Upgrade) -> Any:
    """Starts a job that upgrades a disabled plugin."""
    found, granted = get_plugin(request.user, host, plugin), [entry.dict() for entry in body.privileges]
    job = plugins.start_upgrade(request.user, found, body.plugin, granted, account=body.account)
    return 202, {"job": job.pk}


@router.post("/{host}/{plugin}/push", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_push(request: HttpRequest, host: str, plugin: str, body: Push | None = None) -> Any:
    """Starts a job that pushes it to the registry that its name says; the result has the digest."""
    found, account = get_plugin(request.user, host, plugin), (body or Push()).account
    return 202, {"job": plugin_moves.start_push(request.user, found, account=account).pk}


@router.post("/{host}/{plugin}/enable", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_enable(request: HttpRequest, host: str, plugin: str, body: Options | None = None) -> Any:
    """Starts a job that enables it."""
    timeout = (body or Options()).timeout
    found = get_plugin(request.user, host, plugin)
    return 202, {"job": plugins.start_switch(request.user, found, "enable", timeout=timeout).pk}


@router.post("/{host}/{plugin}/disable", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_disable(request: HttpRequest, host: str, plugin: str, body: Options | None = None) -> Any:
    """Starts a job that disables it."""
    force = (body or Options()).force
    found = get_plugin(request.user, host, plugin)
    return 202, {"job": plugins.start_switch(request.user, found, "disable", force=force).pk}


@router.post("/{host}/{plugin}/configure", response={200: dict, 202: Started})
@needs(Right.PLUGINS_MANAGE)
def plugin_configure(request: HttpRequest, host: str, plugin: str, body: Options) -> Any:
    """Sets settings of a disabled plugin."""
    soon(plugins.configure, request.user, get_plugin(request.user, host, plugin), body.settings)
    return {"done": "configure"}


@router.post("/{host}/{plugin}/remove", response={200: dict, 202: Started})
@needs(Right.PLUGINS_MANAGE)
def plugin_remove(request: HttpRequest, host: str, plugin: str, body: Options | None = None) -> Any:
    """Removes it."""
    soon(plugins.remove, request.user, get_plugin(request.user, host, plugin), force=(body or Options()).force)
    return {"done": "remove"}
