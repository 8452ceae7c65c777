"""What can be done to managed plugins. A plugin runs as root on its host, so its privileges are shown before it comes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from common.hiding import hiding
from hosts import logins
from hosts.actions.act import calling, demand, failure, host_of, may_go_on, on_engine, recorded
from hosts.actions.asking import Asking
from hosts.engine import parse, plugins
from hosts.engine.answers import Answered
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.engine.refusals import refusal
from hosts.inventory import apply
from hosts.models import Host, Plugin
from hosts.options import REFERENCE
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

LOOK_SECONDS, SWITCH_SECONDS, PULL_SECONDS = 20.0, 90.0, 3600.0
ENABLE_AT_MOST = 600
SETTINGS_AT_MOST, SETTING_AT_MOST = 200, 8000
SETTING = re.compile(r"[A-Za-z_][\w.-]{0,254}=.*", re.DOTALL)


# ---------------------------------------------------------------- what it asks for
def start_look(actor: Any, host: Host, reference: str, *, account: str | int | None = None) -> Job:
    """Starts a job that asks what the plugin wants on its host: the engine asks the registry, with that account
    (`logins.choose`). Its result has {"privileges": [{"name", "description", "value"}]}."""
    demand(actor, Right.PLUGINS_MANAGE, host)
    _has_plugins(host)
    remote = _remote(reference)
    return queue.start(
        actor,
        "plugin.look",
        host=host.name,
        target=remote,
        params={"host": host.name, "remote": remote, "account": logins.choose(actor, remote, account)},
    )


def run_look(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; nothing is installed."""
    host, remote = host_of(context), context.params["remote"]
    with recorded(context.job.by, Right.PLUGINS_MANAGE, host, "plugin.look", remote):
        login = logins.open_login(context, remote, context.params["account"])
        return {"privileges": _privileges(context, host, remote, login)}


def _privileges(context: JobContext, host: Host, remote: str, login: logins.Opened) -> list[dict[str, Any]]:
    with _asking(context, host, "") as call, _told(call, remote, login):
        query = {"remote": remote}
        call.open(
            "GET",
            "/plugins/privileges",
            query,
            version=host.spoken_version,
            headers=login.headers,
            seconds=LOOK_SECONDS,
        )
        return sorted(parse.privileges_of(call.read_json(LOOK_SECONDS)), key=lambda entry: str(entry["name"]))


@contextmanager
def _told(call: Call, remote: str, login: logins.Opened) -> Iterator[None]:
    """What the plugin's registry said, as a sentence."""
    try:
        yield
    except Answered as error:
        raise refusal(error, remote, call.endpoint.address, registry=login.registry, user=login.user) from error


def _remote(reference: str, field: str = "reference") -> str:
    """NAME:TAG with its registry."""
    found = REFERENCE.fullmatch(reference.strip())
    if not found or len(reference) > 400 or found["digest"]:
        raise Invalid(
            field, gettext_noop("This is not a plugin's name. Example: registry.example.com/team/volumes:1.2.")
        )
    return f"{found['name']}:{found['tag'] or 'latest'}"


def _has_plugins(host: Host) -> None:
    if host.engine == "Podman":
        raise Conflict(gettext_noop("%(host)s runs Podman, which has no managed plugins."), {"host": host.name})


# ---------------------------------------------------------------- install, upgrade
def start_install(
    actor: Any,
    host: Host,
    reference: str,
    granted: list[dict[str, Any]],
    *,
    alias: str = "",
    enable: bool = True,
    account: str | int | None = None,
) -> Job:
    """Starts a job that pulls the plugin, granting what a look has told, and enables it if asked. `account` is as in
    `logins.choose`."""
    demand(actor, Right.PLUGINS_MANAGE, host)
    _has_plugins(host)
    remote = _remote(reference)
    name = _remote(alias, "alias") if alias.strip() else ""
    return queue.start(
        actor,
        "plugin.install",
        host=host.name,
        target=remote,
        params={
            "host": host.name,
            "remote": remote,
            "name": name,
            "granted": granted,
            "enable": enable,
            "account": logins.choose(actor, remote, account),
        },
        locks=[lock(host.name, "plugin", name or remote)],
    )


def run_install(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: bytes and state of each layer."""
    host, params = host_of(context), context.params
    name = params["name"] or params["remote"]
    _pull(context, host, "plugin.install", "/plugins/pull", {"remote": params["remote"], "name": params["name"]})
    if params["enable"]:
        try:
            with _asking(context, host, "plugin.enable") as call:
                _post(call, host, f"{_path(name)}/enable", {"timeout": "30"})
        except (Failure, EngineError, Cancelled):
            words = _("The plugin %(name)s is installed and disabled.")
            if context.cancelled:
                words = _("The plugin %(name)s is installed, and may be enabled yet.")
            context.leaves(words % {"name": name})
            raise
    return {"plugin": name}


def start_upgrade(
    actor: Any, plugin: Plugin, reference: str, granted: list[dict[str, Any]], *, account: str | int | None = None
) -> Job:
    """Starts a job that replaces a disabled plugin by `reference`; its settings stay. `account` is as in
    `logins.choose`."""
    demand(actor, Right.PLUGINS_MANAGE, plugin)
    _is_disabled(plugin)
    remote = _remote(reference or plugin.reference or plugin.name)
    host = plugin.host.name
    return queue.start(
        actor,
        "plugin.upgrade",
        host=host,
        target=f"{plugin.name} -> {remote}",
        params={
            "host": host,
            "name": plugin.name,
            "remote": remote,
            "granted": granted,
            "account": logins.choose(actor, remote, account),
        },
        locks=[lock(host, "plugin", plugin.name)],
    )


def run_upgrade(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. An engine that fails keeps the old one."""
    host, params = host_of(context), context.params
    _pull(context, host, "plugin.upgrade", f"{_path(params['name'])}/upgrade", {"remote": params["remote"]})
    return {"plugin": params["name"]}


def _pull(context: JobContext, host: Host, action: str, path: str, query: dict[str, str]) -> None:
    granted = context.params["granted"]
    with recorded(context.job.by, Right.PLUGINS_MANAGE, host, action, context.job.target):
        login = logins.open_login(context, query["remote"], context.params.get("account"))
        asked = _privileges(context, host, query["remote"], login)
        if _sum(asked) != _sum(granted):
            raise Conflict(
                gettext_noop("%(plugin)s asks for something else now than what was granted. Look at it again."),
                {"plugin": query["remote"]},
            )
        with _asking(context, host, "") as call, _told(call, query["remote"], login):
            plugins.fetch(
                call,
                path,
                {name: value for name, value in query.items() if value},
                asked,
                version=host.spoken_version,
                headers=login.headers,
                report=lambda share, layers: context.progress(share, "", layers),
                log=context.log,
            )
        _apply(host, Asking(host, context).ask("GET", "/plugins", seconds=LOOK_SECONDS))


def _sum(granted: list[dict[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((str(entry.get("name")), tuple(sorted(map(str, entry.get("value") or [])))) for entry in granted)


# ---------------------------------------------------------------- enable, disable
def start_switch(actor: Any, plugin: Plugin, verb: str, *, timeout: int = 30, force: bool = False) -> Job:
    """Starts a job that enables the plugin (waiting up to `timeout` seconds for its socket), or disables it: by `force`
    although something uses it."""
    demand(actor, Right.PLUGINS_MANAGE, plugin)
    if not 0 <= timeout <= ENABLE_AT_MOST:
        raise Invalid("timeout", gettext_noop("The time to wait is 0 to %(most)s seconds."), {"most": ENABLE_AT_MOST})
    if plugin.enabled == (verb == "enable") and plugin.host.is_live:
        raise Conflict(gettext_noop("%(name)s is %(state)s already."), {"name": plugin.name, "state": plugin.state})
    query = {"timeout": str(timeout)} if verb == "enable" else {"force": "1" if force else "0"}
    host = plugin.host.name
    return queue.start(
        actor,
        f"plugin.{verb}",
        host=host,
        target=plugin.name,
        params={"host": host, "name": plugin.name, "verb": verb, "query": query},
        locks=[lock(host, "plugin", plugin.name)],
    )


def run_switch(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, params = host_of(context), context.params
    path, seconds = f"{_path(params['name'])}/{params['verb']}", ENABLE_AT_MOST + SWITCH_SECONDS
    try:
        with _asking(context, host, f"plugin.{params['verb']}") as call:
            _post(call, host, path, params["query"], seconds)
    except Cancelled:
        may_go_on(context, params["name"])
        raise
    return {"plugin": params["name"]}


# ---------------------------------------------------------------- at once
def configure(actor: Any, plugin: Plugin, settings: list[str]) -> None:
    """Sets NAME=value (environment), args=..., MOUNT.source=..., DEVICE.path=... of a disabled plugin."""
    _is_disabled(plugin)
    wanted = [entry for entry in settings if entry.strip()]
    if not wanted or len(wanted) > SETTINGS_AT_MOST:
        raise Invalid("settings", gettext_noop("Write 1 to %(most)s settings, one a line."), {"most": SETTINGS_AT_MOST})
    for entry in wanted:
        if not SETTING.fullmatch(entry) or len(entry) > SETTING_AT_MOST or "\0" in entry:
            name = entry.partition("=")[0][:60]
            raise Invalid("settings", gettext_noop("“%(name)s” is no setting. Write NAME=value."), {"name": name})
    names = sorted(entry.partition("=")[0] for entry in wanted)  # values may be passwords
    values = [entry.partition("=")[2] for entry in wanted]
    with hiding(*values), _act(actor, plugin, "configure", names=names, **_paths_moved(plugin, wanted)) as api:
        api.configure_plugin(plugin.name, wanted)
        _apply(plugin.host, api.plugins())


def _paths_moved(plugin: Plugin, wanted: list[str]) -> dict[str, Any]:
    """What the settings change of folders and devices of the host, for the audit; all else may be a password."""
    had = {f"{entry['name']}.source": entry["source"] for entry in plugin.data.get("mounts", [])}
    had |= {f"{entry['name']}.path": entry["path"] for entry in plugin.data.get("devices", [])}
    given = {name: value for name, _equals, value in (entry.partition("=") for entry in wanted) if name in had}
    return difference({name: had[name] for name in given}, given)


def remove(actor: Any, plugin: Plugin, *, force: bool = False) -> None:
    """Removes it; one that is enabled only by `force`."""
    if plugin.enabled and not force:
        _is_disabled(plugin)
    with _act(actor, plugin, "remove", force=force) as api:
        api.remove_plugin(plugin.name, force=force)
        _apply(plugin.host, api.plugins())


def _apply(host: Host, found: Any) -> None:
    """Not every change has an event."""
    apply.apply_rows(host, "plugin", [row for row in map(parse.plugin_row, found or []) if row])


def _act(actor: Any, plugin: Plugin, verb: str, **detail: Any) -> Any:
    return on_engine(
        actor, Right.PLUGINS_MANAGE, plugin.host, f"plugin.{verb}", plugin.name, timeout=SWITCH_SECONDS, detail=detail
    )


def _is_disabled(plugin: Plugin) -> None:
    if plugin.enabled:
        raise Conflict(gettext_noop("%(name)s is enabled. Disable it first."), {"name": plugin.name})


@contextmanager
def _asking(context: JobContext, host: Host, action: str) -> Iterator[Call]:
    """A call of a job; recorded unless its act is already."""
    if action:
        with calling(context, Right.PLUGINS_MANAGE, host, action) as call:
            yield call
        return
    with Call(host.endpoint()) as call:
        context.on_cancel(call.end)
        try:
            yield call
        except EngineError as error:
            context.check_cancelled()
            raise failure(error) from error


def _post(call: Call, host: Host, path: str, query: dict[str, str], seconds: float = SWITCH_SECONDS) -> None:
    call.open("POST", path, query, version=host.spoken_version, seconds=seconds)


def _path(name: str) -> str:
    return f"/plugins/{quote(name, safe='/:')}"
