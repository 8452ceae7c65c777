"""Requests with large bodies: uploads go to the disk of the data folder as they come."""

import tempfile
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler


class BodyOnDisk(ASGIHandler):
    """Django's handler keeps a large body in the system's temporary folder, which may be memory, and writes it there
    while every other request waits."""

    async def read_body(self, receive: Any) -> Any:
        """The body as a file at its beginning. Raises RequestAborted."""
        most = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        file: Any = tempfile.SpooledTemporaryFile(max_size=most, dir=str(settings.UPLOADS))  # noqa: SIM115  the caller closes it
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                file.close()
                raise RequestAborted
            block, more = message.get("body", b""), message.get("more_body", False)
            size += len(block)
            if size > most:
                await sync_to_async(file.write, thread_sensitive=False)(block)
            else:
                file.write(block)
        file.seek(0)
        return file
