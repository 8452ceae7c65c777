"""Managed plugins over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_host, get_plugin
from hosts.actions import plugins
from hosts.models import Plugin

router = Router(tags=["plugins"])


class Privilege(Schema):
    """One of what a plugin asks for, as `privileges` tells it."""

    name: str
    description: str = ""
    value: list[str] = []


class Look(Schema):
    """Which plugin: name:tag, with its registry."""

    plugin: str


class Install(Look):
    """`privileges` are those that are granted; `alias` is its name on the host."""

    privileges: list[Privilege]
    alias: str = ""
    enable: bool = True


class Upgrade(Schema):
    """`plugin` is the version to go to, its own reference unless named."""

    privileges: list[Privilege]
    plugin: str = ""


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


@router.post("/{host}/privileges", response=dict)
@needs(Right.PLUGINS_MANAGE)
def plugin_privileges(request: HttpRequest, host: str, body: Look) -> Any:
    """What a plugin asks for on its host; nothing is installed."""
    return {"privileges": plugins.privileges(request.user, get_host(request.user, host), body.plugin)}


@router.post("/{host}/install", response={202: dict})
@needs(Right.PLUGINS_MANAGE)
def plugin_install(request: HttpRequest, host: str, body: Install) -> Any:
    """Starts a job that installs it; it fails when the plugin asks for something else than what is granted."""
    found, granted = get_host(request.user, host), [entry.dict() for entry in body.privileges]
    job = plugins.start_install(request.user, found, body.plugin, granted, alias=body.alias, enable=body.enable)
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
    return 202, {"job": plugins.start_upgrade(request.user, found, body.plugin, granted).pk}


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


@router.post("/{host}/{plugin}/configure", response=dict)
@needs(Right.PLUGINS_MANAGE)
def plugin_configure(request: HttpRequest, host: str, plugin: str, body: Options) -> Any:
    """Sets settings of a disabled plugin."""
    plugins.configure(request.user, get_plugin(request.user, host, plugin), body.settings)
    return {"done": "configure"}


@router.post("/{host}/{plugin}/remove", response=dict)
@needs(Right.PLUGINS_MANAGE)
def plugin_remove(request: HttpRequest, host: str, plugin: str, body: Options | None = None) -> Any:
    """Removes it."""
    plugins.remove(request.user, get_plugin(request.user, host, plugin), force=(body or Options()).force)
    return {"done": "remove"}
