"""Writes what Dermaga's own processes say of themselves, for all of them to show."""

import os
import socket
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db import close_old_connections
from django.utils import timezone

from common.version import VERSION
from hosts.models import Process

EVERY_SECONDS = 10.0
KEPT = timedelta(days=1)  # after its last word; a counter that ends is no counter that went back


def new_owner() -> str:
    """A name for this process that no other has: its machine, its number, and something random."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


OWNER = new_owner()
STARTED = timezone.now()
PAGE = os.sysconf("SC_PAGE_SIZE")

log = structlog.get_logger("dermaga.processes")
_beaten: dict[tuple[str, str], float] = {}


def report(role: str, counts: Any = None, owner: str = OWNER) -> None:
    """Stores that the process lives in this `role`, and what it counts; forgets those that have been silent for long."""
    now = timezone.now()
    values: dict[str, Any] = {"seen": now, "started": STARTED, "version": VERSION, "memory": _memory()}
    if counts is not None:
        values["counts"] = counts
    Process.objects.update_or_create(owner=owner, role=role, defaults=values)
    Process.objects.filter(seen__lt=now - KEPT).delete()


def leave(role: str = "", owner: str = OWNER) -> None:
    """The process stops in order, in this role or ("") altogether: it is no longer shown."""
    rows = Process.objects.filter(owner=owner)
    (rows.filter(role=role) if role else rows).delete()


def beat(role: str, owner: str = OWNER) -> None:
    """Reports when the last time is EVERY_SECONDS ago; called often, from a thread. Never raises: what it belongs to
    goes on without a database."""
    now = time.monotonic()
    if now - _beaten.get((role, owner), -EVERY_SECONDS) < EVERY_SECONDS - 0.5:
        return
    _beaten[role, owner] = now
    try:
        close_old_connections()
        report(role, owner=owner)
    except Exception as error:
        log.warning("heartbeat not written", role=role, error=str(error)[:200])


def _memory() -> int | None:
    """Resident bytes."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return None
