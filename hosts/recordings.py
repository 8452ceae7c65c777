"""Records terminals, reads what was recorded, and forgets it.

The format is asciicast 2: a line of JSON about the whole, then one for each event: [seconds, "o", text], or
[seconds, "r", "COLUMNSxROWS"]. What is typed is not recorded: of a password nothing shows.
"""

import asyncio
import codecs
import zlib
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models.teams import labelled
from accounts.rights import SYSTEM
from common.downloads import attachment
from hosts.models import Host, Recording, RecordingPart
from hosts.models.recordings import RecordingEnd

TYPE = "application/x-asciicast"
ALL = "all"
WRITE_SECONDS = 1.0  # so much is lost at most when a process is killed
WAITING_AT_MOST = 1 << 20  # bytes of lines that are not written yet: then the terminal waits
OUTPUT_AT_MOST = 64 << 20  # bytes of one terminal
WINDOW = (80, 24)  # of who does not say one


class NotRecorded(Exception):
    """The terminal ends: it has to be recorded and cannot be. Its text is for who sits at it."""


def is_recorded(host: Host) -> bool:
    """Whether terminals on this host are: TERMINALS_RECORDED is "all", or a label that it has."""
    asked = settings.TERMINALS_RECORDED
    labels = host.labels if isinstance(host.labels, dict) else {}
    return bool(asked) and (asked == ALL or bool(labelled(asked, {host.name: labels})))


class Recorder:
    """Writes one recording, in the order of what is shown, never more than WAITING_AT_MOST behind."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._began = monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: list[bytes] = [header(recording)]
        self._waiting = self._number = self._bytes = 0
        self._writing = asyncio.Lock()
        self._failed = ""
        self._ended = False
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def begin(
        cls, user: Any, host: str, container: str, window: tuple[int, int] | None, **about: str
    ) -> "Recorder":
        """Of a terminal that opens now. Raises NotRecorded."""
        columns, rows = window or WINDOW
        try:
            recording = await database_sync_to_async(_begun)(
                host=host, container=container, by=user, by_name=user.username, columns=columns, rows=rows, **about
            )
        except DatabaseError as error:
            raise NotRecorded(_("This terminal has to be recorded, and the recording cannot be written.")) from error
        recorder = cls(recording)
        await recorder.write()
        if recorder.failed:
            await database_sync_to_async(_drop)(recording)
            raise NotRecorded(recorder.failed)
        return recorder

    async def output(self, block: bytes) -> None:
        """What is shown next; waits while much is not written yet. Raises NotRecorded."""
        self._bytes += len(block)
        if text := self._decoder.decode(block):
            self._add("o", text)
        if self._bytes > OUTPUT_AT_MOST:
            await self.end(RecordingEnd.FULL)
            most = {"mb": OUTPUT_AT_MOST >> 20}
            raise NotRecorded(_("This terminal is recorded, and it has shown %(mb)s MB: open another one.") % most)
        if self._waiting >= WAITING_AT_MOST:
            await self.write()
        if self._failed:
            raise NotRecorded(self._failed)

    def resized(self, columns: int, rows: int) -> None:
        """The window has another size now."""
        self._add("r", f"{columns}x{rows}")

    def _add(self, kind: str, text: str) -> None:
        line = orjson.dumps([round(monotonic() - self._began, 3), kind, text]) + b"\n"
        self._lines.append(line)
        self._waiting += len(line)

    async def keep_writing(self) -> None:
        """Until it is cancelled."""
        while not self._failed:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self, end: str = RecordingEnd.OPEN) -> None:
        """All that was added. Who is cancelled meanwhile leaves it to its end: the next part comes behind it."""
        task = asyncio.create_task(self._write_all(end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _write_all(self, end: str) -> None:
        async with self._writing:
            lines, self._lines, self._waiting = self._lines, [], 0
            if not lines and end == RecordingEnd.OPEN:
                return
            about = {"seconds": round(monotonic() - self._began, 3), "bytes": self._bytes, "end": end}
            try:
                await database_sync_to_async(_write)(self.recording, self._number, b"".join(lines), about)
                self._number += 1
            except NotRecorded as error:
                self._failed = str(error)
                await database_sync_to_async(_close)(self.recording)
            except DatabaseError:
                self._failed = _("This terminal has to be recorded, and the recording cannot be written.")

    async def end(self, how: str = RecordingEnd.ENDED) -> None:
        """No more comes. What it ended with first stays."""
        if self._ended:
            return
        self._ended = True
        if rest := self._decoder.decode(b"", final=True):
            self._add("o", rest)
        await self.write(how)

    @property
    def failed(self) -> str:
        """Why nothing is written any more; "" while all is."""
        return self._failed


def header(recording: Recording) -> bytes:
    """The first line."""
    about = {
        "version": 2,
        "width": recording.columns,
        "height": recording.rows,
        "timestamp": int(recording.began.timestamp()),
        "title": f"{recording.host}/{recording.container}",
    }
    if recording.command:
        about["command"] = recording.command
    return orjson.dumps(about) + b"\n"


def _begun(**columns: Any) -> Recording:
    _demand_room()
    return Recording.objects.create(**{**columns, "command": columns.get("command", "")[:1000]})


def _demand_room() -> None:
    stored = Recording.objects.aggregate(n=Sum("stored"))["n"] or 0
    if stored >= settings.RECORDINGS_MB << 20:
        raise NotRecorded(
            _("This terminal has to be recorded, and there is no room for it. Ask who runs Dermaga: RECORDINGS_MB.")
        )


def _write(recording: Recording, number: int, lines: bytes, about: dict[str, Any]) -> None:
    _demand_room()
    packed = zlib.compress(lines)
    with transaction.atomic():
        RecordingPart.objects.create(recording=recording, number=number, lines=packed)
        recording.stored += len(packed)
        Recording.objects.filter(pk=recording.pk).update(stored=recording.stored, **about)


def _close(recording: Recording) -> None:
    """It has no room any more; what it has stays."""
    with suppress(DatabaseError):
        Recording.objects.filter(pk=recording.pk).update(end=RecordingEnd.FULL)


def _drop(recording: Recording) -> None:
    """Nothing of it was written, and its terminal does not open."""
    with suppress(DatabaseError):
        recording.delete()


def read(actor: Any, recording: Recording) -> StreamingHttpResponse:
    """The asciicast as a file, for somebody: that it was read is in the audit."""
    detail = {"recording": recording.pk, "by": recording.by_name}
    record(actor, "recording.read", recording.container, host=recording.host, detail=detail)
    response = StreamingHttpResponse(cast(recording), content_type=TYPE)
    response["Content-Disposition"] = attachment(recording.file_name)
    return response


async def cast(recording: Recording) -> AsyncGenerator[bytes]:
    """The asciicast, a part at a time; of one that is open what is written so far."""
    numbers = [number async for number in recording.parts.values_list("number", flat=True)]
    for number in numbers:
        part = await recording.parts.filter(number=number).afirst()
        if part is not None:  # forgotten meanwhile
            yield zlib.decompress(bytes(part.lines))


def forget_old() -> int:
    """Removes those that began more than RECORDINGS_KEPT_DAYS ago (0: none), and says so in the audit; how many."""
    if not settings.RECORDINGS_KEPT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS)
    with transaction.atomic():
        old = list(Recording.objects.filter(began__lt=before).order_by("pk")[:500])
        Recording.objects.filter(pk__in=[one.pk for one in old]).delete()
        if old:
            detail = {"recordings": len(old), "through": old[-1].pk, "older_than": before.isoformat()}
            record(SYSTEM, "recording.forget", f"{old[0].pk}-{old[-1].pk}", detail=detail)
    return len(old)
