"""Recordings of terminals over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters, recordings
from hosts.access import get_recording
from hosts.models import Recording

router = Router(tags=["audit"])


def show(recording: Recording) -> dict[str, Any]:
    """A recording as JSON, without what it holds. `seconds` is until what was written last, `bytes` of output."""
    return {
        "id": recording.pk,
        "host": recording.host,
        "container": recording.container,
        "by": recording.by_name,
        "mode": recording.mode,
        "command": recording.command,
        "columns": recording.columns,
        "rows": recording.rows,
        "began": recording.began,
        "seconds": recording.seconds,
        "bytes": recording.bytes,
        "state": recording.end,
    }


@router.get("", response=Many)
@needs(Right.AUDIT_READ)
def recording_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """Recordings of terminals, newest first; the same filters as the page: search, host, by, mode, state."""
    rows, _ = filters.RECORDINGS.ordered(filters.RECORDINGS.narrow(Recording.objects.all(), request.GET), sort)
    return many(rows, limit, offset, show)


@router.get("/{recording}", response=dict)
@needs(Right.AUDIT_READ)
def recording_get(request: HttpRequest, recording: int) -> Any:
    """One of them."""
    return show(get_recording(request.user, recording))


@router.get("/{recording}/cast", response=None)
@needs(Right.AUDIT_READ)
def recording_cast(request: HttpRequest, recording: int) -> Any:
    """What it holds, as an asciicast (version 2); that it was read is in the audit."""
    return recordings.read(request.user, get_recording(request.user, recording))
