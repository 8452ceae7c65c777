"""How Dermaga itself does, over REST."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.models import Forward
from accounts.rights import Right
from api.auth import needs
from hosts import diagnostics
from hosts.models import Host

router = Router(tags=["diagnostics"])


@router.get("", response=dict)
@needs(Right.DIAGNOSTICS)
def diagnostics_get(request: HttpRequest) -> Any:
    """What the page of diagnostics shows: the product, its processes, and how each host is watched."""
    hosts = list(Host.objects.visible_to(request.user))
    diagnostics.add_watching(hosts)
    return {
        "product": show_product(diagnostics.product()),
        "processes": [show_part(part) for part in diagnostics.parts(request.user)],
        "hosts": [show_host(host) for host in hosts],
        "forwards": [show_forward(forward) for forward in Forward.objects.all()],
    }


def show_forward(forward: Forward) -> dict[str, Any]:
    """How the audit gets to a target."""
    names = ("name", "enabled", "sent", "sent_at", "behind", "failures", "retry_at", "error")
    return {name: getattr(forward, name) for name in names}


def show_product(product: diagnostics.Product) -> dict[str, Any]:
    """What all parts stand on."""
    return asdict(product)


def show_part(part: diagnostics.Part) -> dict[str, Any]:
    """One part in one process."""
    process = part.process
    return {
        "role": process.role,
        "name": process.name,
        "alive": part.alive,
        "version": process.version,
        "started": process.started,
        "heartbeat": process.seen,
        "memory": process.memory,
        "hosts": part.hosts,
        "sockets": part.sockets,
        "lag_seconds": part.lag_seconds,
        "skipped_lines": part.skipped_lines,
    }


def show_host(host: Any) -> dict[str, Any]:
    """How one host is watched."""
    watch = host.watching
    return {
        "host": host.name,
        "state": host.state,
        "reason": host.reason,
        "since": host.since,
        "last_seen": host.last_seen,
        "lag_p50": watch.lag_p50,
        "lag_p95": watch.lag_p95,
        "clock_ahead": watch.clock_ahead,
        "events": watch.events,
        "last_event": watch.last_event,
        "listed": watch.listed,
        "list_seconds": watch.list_seconds,
        "connected": watch.connected,
        "reconnects": watch.reconnects,
        "watched_by": host.lease_owner if host.is_held else "",
        "lease_until": host.lease_until if host.is_held else None,
        "streams": asdict(host.streams),
    }
