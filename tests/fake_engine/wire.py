"""HTTP/1.1 as far as an engine speaks it: requests read, answers and streams written."""

import asyncio
import json
import re
import socket
import struct
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

VERSION = re.compile(r"/v(\d+\.\d+)(?=/)")


@dataclass(frozen=True)
class Request:
    """`path` is without the API version, which is in `version` ("" when the client named none)."""

    method: str
    path: str
    version: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def flag(self, name: str, default: bool = False) -> bool:
        return self.query.get(name, str(default)).lower() in {"1", "true"}

    def filters(self) -> dict[str, list[str]]:
        """`filters` in either of its shapes: {"type": ["a"]} or {"type": {"a": true}}."""
        return {key: list(values) for key, values in json.loads(self.query.get("filters") or "{}").items()}


class Connection:
    """One client's connection. Everything that is sent passes `write`, which behaviours replace."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.chunked = False

    async def read_request(self) -> Request | None:
        """The next request; None when the client has left or does not speak HTTP."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return None
        first, *lines = head.split("\r\n")
        if len(words := first.split(" ")) != 3:
            return None
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        method, target, _ = words
        url = urlsplit(target)
        version = VERSION.match(url.path)
        return Request(
            method,
            unquote(VERSION.sub("", url.path, count=1)),
            version[1] if version else "",
            dict(parse_qsl(url.query, keep_blank_values=True)),
            headers,
            await self._read_body(headers),
        )

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
            return body
        return await self.reader.readexactly(int(headers.get("content-length") or 0))

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """A whole answer: bytes as they are, anything else as JSON, None without a body."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/plain; charset=utf-8" if isinstance(body, bytes) else "application/json"
        lines = {"Content-Type": kind, "Content-Length": str(len(content))} | (headers or {})
        await self.write(head(status, lines) + content)

    async def stream(self, kind: str) -> None:
        """The head of an answer whose pieces follow by `send` until `end`."""
        self.chunked = True
        await self.write(head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"}))

    async def send(self, data: bytes) -> None:
        """One piece of a stream: it arrives as one chunk."""
        if data:
            await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.write(b"0\r\n\r\n")

    async def closed_by_client(self) -> None:
        """Waits until the client leaves, reading nothing it could want an answer to."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """Ends the connection at once: a client on TCP sees a reset."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
