"""Entries of the audit as they are sent: a message of RFC 5424 each, or a signed body of JSON for several."""

import json
import re
import socket
from collections.abc import Iterable
from typing import Any

from accounts.audit_views import COLUMNS
from accounts.models import AuditEntry

FACILITY = 13  # log audit
SEVERITIES = {"done": 6, "cancelled": 5, "refused": 4, "failed": 4}
MESSAGE_AT_MOST = 8000  # bytes: what common receivers take as they are set up
ENTERPRISE = "32473"  # that of examples, RFC 5612
NOT_PLAIN = re.compile(r"[^!-~]")


def show(entry: AuditEntry) -> dict[str, Any]:
    """An entry as JSON, as GET audit has it."""
    return {name: of(entry) for name, of in COLUMNS.items()} | {"time": entry.time.isoformat()}


def syslog(entry: AuditEntry) -> bytes:
    """A message whose text is the entry as JSON; the detail of a long one is left out, and how long it was is said."""
    told = show(entry)
    severity = SEVERITIES.get(entry.outcome, 5)
    head = _head(severity, told["time"], entry.action) + f'[audit@{ENTERPRISE} number="{entry.number}"] '
    text = head + json.dumps(told)
    if len(text) > MESSAGE_AT_MOST:
        text = head + json.dumps(told | {"detail": {"left_out_bytes": len(json.dumps(entry.detail))}})
    return text.encode("ascii")


def syslog_test(time: str, name: str) -> bytes:
    """What is sent to try a target: no entry."""
    return (_head(5, time, "test") + "- " + json.dumps({"test": name, "by": "dermaga"})).encode("ascii")


def _head(severity: int, time: str, action: str) -> str:
    host = NOT_PLAIN.sub("", socket.gethostname())[:255] or "-"
    kind = NOT_PLAIN.sub("", action)[:32] or "-"
    return f"<{FACILITY * 8 + severity}>1 {time} {host} dermaga - {kind} "


def batch(entries: Iterable[AuditEntry], at_most: int) -> tuple[list[dict[str, Any]], int]:
    """The first of `entries` that have room in `at_most` bytes, at least one, as JSON; and how many."""
    found: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        told = show(entry)
        size += len(json.dumps(told)) + 2
        if found and size > at_most:
            break
        found.append(told)
    return found, len(found)


def body(entries: list[dict[str, Any]], *, test: str = "") -> bytes:
    """What a webhook gets."""
    return json.dumps({"source": "dermaga", "test": test, "entries": entries}).encode("ascii")
