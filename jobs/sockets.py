"""/ws/jobs/{id}: one job, live."""

import asyncio
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.urls import path

from accounts.rights import Right
from accounts.sockets import UNKNOWN, GuardedConsumer
from common.errors import DermagaError
from common.events import GROUP
from jobs.models import Job, JobLine
from jobs.queue import get_job

LINES_AT_ONCE = 500


class JobConsumer(GuardedConsumer):
    """Sends the job when it opens and after each change, with the log lines that are new to this viewer:
    {"t": "job", "id", "state", "progress", "percent", "message", "parts", "error", "log", "ended"}."""

    rule = Right.JOBS_VIEW

    async def opened(self) -> None:
        self.job_id = int(self.scope["url_route"]["kwargs"]["job_id"])
        self._last_line = 0
        self._lock = asyncio.Lock()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        try:
            await database_sync_to_async(get_job)(self.user, self.job_id)
        except DermagaError:
            await self.close(UNKNOWN)
            return
        await self._send_job()

    async def why_leave(self) -> int:
        return await super().why_leave() or (0 if await database_sync_to_async(self._is_there)() else UNKNOWN)

    def _is_there(self) -> bool:
        return bool(Job.objects.visible_to(self.user).filter(pk=self.job_id).exists())

    async def changes(self, message: dict[str, Any]) -> None:
        """A message of common.events."""
        for item in message["items"]:
            if item["kind"] == "job" and (not item["ids"] or str(self.job_id) in item["ids"]):
                await self._send_job()
                return

    async def _send_job(self) -> None:
        async with self._lock:
            while body := await database_sync_to_async(self._read)():
                await self.send(text_data=orjson.dumps(body).decode())
                if len(body["log"]) < LINES_AT_ONCE:
                    return
        await self.leave(UNKNOWN)

    def _read(self) -> dict[str, Any] | None:
        """The message with the next lines; None when the job is gone, or not to be seen any more."""
        job = Job.objects.visible_to(self.user).filter(pk=self.job_id).first()
        if job is None:
            return None
        lines = list(JobLine.objects.filter(job=job, pk__gt=self._last_line)[:LINES_AT_ONCE])
        if lines:
            self._last_line = lines[-1].pk
        return {
            "t": "job",
            "id": job.pk,
            "state": job.state,
            "progress": job.progress,
            "percent": job.percent,
            "message": job.message,
            "parts": job.parts,
            "error": job.error,
            "log": [line.text for line in lines],
            "ended": job.ended.isoformat() if job.ended else None,
        }

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        await self.channel_layer.group_discard(GROUP, self.channel_name)


socket_urls = [path("ws/jobs/<int:job_id>", JobConsumer.as_asgi())]
