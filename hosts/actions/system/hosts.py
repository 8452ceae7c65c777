"""What can be done to a host's entry: add, change, check, enable, disable, remove."""

import time
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F

from accounts.audit import record
from accounts.differences import difference, told
from accounts.rights import Right
from common.events import changed
from hosts.access import EVERYWHERE
from hosts.actions.act import demand, failure
from hosts.engine.connect import EngineInfo, check
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.inventory.apply import apply_state
from hosts.inventory.swarms import forget_empty
from hosts.models import Host
from hosts.models.hosts import HostState

CONNECTION_FIELDS = ("url", "kind", "tls_ca", "tls_cert", "tls_key", "ssh_key", "ssh_known_hosts")
TOLD, MARKED = ("name", "url", "kind", "labels"), ("tls_ca", "tls_cert", "ssh_known_hosts")  # no keys
TRIES = 5  # to remove a host of which somebody writes
PAUSE_SECONDS = 0.05


def add(actor: Any, host: Host) -> Host:
    """Stores a new host; the watcher connects within a second."""
    demand(actor, Right.HOSTS_MANAGE, EVERYWHERE)
    with transaction.atomic():
        host.save(force_insert=True)
        record(actor, "host.add", host.name, host=host.name, detail=difference({}, told(host, *TOLD, marked=MARKED)))
        changed("host", host.name)
    return host


def change(actor: Any, host: Host) -> Host:
    """Stores a changed host; when the way to it changed, the watcher connects afresh."""
    demand(actor, Right.HOSTS_MANAGE, EVERYWHERE)
    with transaction.atomic():
        old = Host.objects.get(pk=host.pk)
        moved = [name for name in CONNECTION_FIELDS if getattr(old, name) != getattr(host, name)]
        names = [name for name in ("name", "labels") if getattr(old, name) != getattr(host, name)]
        if moved or "name" in names:
            host.revision = old.revision + 1
        host.save(update_fields=[*CONNECTION_FIELDS, "name", "labels", "revision"])
        if moved:
            apply_state(host.pk, HostState.CONNECTING)
        detail = {"fields": moved + names} | difference(
            told(old, *TOLD, marked=MARKED), told(host, *TOLD, marked=MARKED)
        )
        record(actor, "host.change", host.name, host=host.name, detail=detail)
        changed("host", host.name)
    return host


def set_enabled(actor: Any, host: Host, enabled: bool) -> None:
    """Enables or disables a host; disabling keeps its last known rows."""
    demand(actor, Right.HOSTS_MANAGE, host)
    with transaction.atomic():
        was = Host.objects.select_for_update().filter(pk=host.pk).values_list("enabled", flat=True).first()
        Host.objects.filter(pk=host.pk).update(enabled=enabled, revision=F("revision") + 1)
        if enabled:
            apply_state(host.pk, HostState.CONNECTING)
        action, detail = (
            "host.enable" if enabled else "host.disable",
            difference({"enabled": was}, {"enabled": enabled}),
        )
        record(actor, action, host.name, host=host.name, detail=detail)
        changed("host", host.name)


def remove(actor: Any, host: Host) -> None:
    """Forgets a host: its entry, keys, rows and events. Nothing on the host itself is touched."""
    demand(actor, Right.HOSTS_MANAGE, EVERYWHERE)
    key = host.pk
    for tried in range(1, TRIES + 1):
        try:
            _forget(actor, host, key)
        except (IntegrityError, OperationalError):  # its watcher writes of it; PostgreSQL ends one of two that wait
            if tried == TRIES:
                raise
            time.sleep(tried * PAUSE_SECONDS)
        else:
            return


def _forget(actor: Any, host: Host, key: int) -> None:
    with transaction.atomic():
        Host.objects.filter(pk=key).delete()
        forget_empty()
        record(actor, "host.remove", host.name, host=host.name, detail=difference(told(host, *TOLD, marked=MARKED), {}))
        changed("host", host.name)
        for noun in ("container", "image", "network", "volume", "event"):
            changed(noun, host.name)


def test(actor: Any, endpoint: Endpoint, name: str = "") -> EngineInfo:
    """Connects once and says who answers; raises Failure with what is wrong."""
    demand(actor, Right.HOSTS_MANAGE, EVERYWHERE)
    try:
        info = check(endpoint)
    except EngineError as error:
        record(actor, "host.test", endpoint.address, host=name, outcome="failed", detail={"reason": error.code})
        raise failure(error) from error
    record(actor, "host.test", endpoint.address, host=name)
    return info
