"""Live parts of pages, each made once for all who look at the same.

Two hundred browsers that show one table all ask for it when a row changes. The part is made by the ordinary view, through
the ordinary guard, for one of them; whoever sees the same (the same address, standing and language) gets the same text.
What belongs to one person, the token of its forms, is taken out; the page that shows the part puts its own in.
"""

import asyncio
import gzip
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from time import monotonic
from typing import Any, Protocol
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import second_factor
from accounts.models import User
from accounts.models.teams import load_standings
from accounts.rights import Standing, standing_of

GATHER_SECONDS = 0.03  # browsers that hear of a change ask within a moment of each other
APART_SECONDS = 0.25  # between two makings of a part that is asked for all the time
REST = 3  # times as long as making it took, at least: pages of other people want the processor too
URL_AT_MOST = 8_000
NO_ADDRESS = re.compile(r"[\x00-\x20\x7f#\\]|^(?!/)|^//")  # what two readers of one address might read in two ways
FORBIDDEN, NO_PART, FAILED = 403, 406, 500  # 404 is what a view answers for an object that is gone
TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]*')
# of the browser's handshake: what a view may look at
HEADERS = {b"host", b"cookie", b"accept-language", b"user-agent", b"x-forwarded-for", b"x-forwarded-proto"}

log = structlog.get_logger("dermaga.streams")


@dataclass(frozen=True)
class PartView:
    """All that the text of a part depends on."""

    url: str  # path and query
    target: str  # the id of the element that it goes into
    standing: Standing
    origin: tuple[str, bytes]  # scheme and Host header: links to published ports are made from them
    language: tuple[str, bytes]  # the language's cookie and Accept-Language

    @classmethod
    def of(cls, scope: dict[str, Any], user: User, url: str, target: str) -> "PartView":
        """What a socket's reader would see at `url`."""
        headers = headers_of(scope)
        scheme = "https" if scope.get("scheme") in ("https", "wss") else "http"
        language = scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")
        origin = (scheme, headers.get(b"host", b""))
        return cls(url, target, standing_of(user), origin, (language, headers.get(b"accept-language", b"")))


def is_live(url: str) -> bool:
    """Whether `url` is the path and query of a view that is marked `guard(..., live=True)`."""
    path = unquote(url.partition("?")[0])
    if len(url) > URL_AT_MOST or NO_ADDRESS.search(url) or "\0" in unquote(url):
        return False
    try:
        return bool(getattr(resolve(path).func, "live", False))
    except Resolver404:
        return False


def headers_of(scope: dict[str, Any]) -> dict[bytes, bytes]:
    """What a view may look at of the browser's handshake; of a header that is there twice, the first."""
    return {name: value for name, value in reversed(scope["headers"]) if name in HEADERS}


class Reader(Protocol):
    """A socket that shows parts."""

    scope: dict[str, Any]
    user: User

    def take_part(self, number: int, part: bytes | int) -> None:
        """Takes the packed text of what it asked for as `number`, or the status that the view answered instead. Does
        not wait until it is sent: a browser that does not read holds up nobody else."""


@dataclass(frozen=True)
class Ask:
    """What one socket waits for."""

    reader: Reader
    number: int


class Turns:
    """One at a time, and person after person: who asks for a lot waits for it."""

    def __init__(self) -> None:
        self._taken = False
        self._lines: dict[int, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def of(self, person: int) -> AsyncIterator[None]:
        """The turn of one of `person`'s parts."""
        if self._taken:
            mine = asyncio.get_running_loop().create_future()
            self._lines.setdefault(person, deque()).append(mine)
            await mine
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        self._taken = False
        while self._lines and not self._taken:
            person = next(iter(self._lines))
            line = self._lines.pop(person)
            if not (first := line.popleft()).done():
                first.set_result(None)
                self._taken = True
            if line:
                self._lines[person] = line  # behind all others


class Parts:
    """Belongs to an event loop. One part is made at a time; those who ask while theirs is being made get the next."""

    def __init__(self) -> None:
        self._turns = Turns()
        self._waiting: dict[PartView, list[Ask]] = {}
        self._serving: dict[PartView, asyncio.Task[None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parts")
        self._handler: BaseHandler | None = None
        self.made = 0

    def ask(self, view: PartView, ask: Ask) -> None:
        """Answers soon, by `take_part`, with the part as it is from now on."""
        self._waiting.setdefault(view, []).append(ask)
        if view not in self._serving:
            self._serving[view] = asyncio.create_task(self._serve(view), name="serve a part")

    def forget(self, reader: Reader) -> None:
        """Makes nothing for it any more."""
        for view, asks in self._waiting.items():
            if any(ask.reader is reader for ask in asks):
                self._waiting[view] = [ask for ask in asks if ask.reader is not reader]

    async def _serve(self, view: PartView) -> None:
        pause = GATHER_SECONDS
        try:
            while True:
                await asyncio.sleep(pause)
                if not self._waiting.get(view):
                    return
                async with self._turns.of(self._waiting[view][0].reader.user.pk):
                    asks = self._waiting.pop(view, [])
                    part, allowed, took = await asyncio.get_running_loop().run_in_executor(
                        self._thread, self._make, view, asks
                    )
                pause = max(APART_SECONDS, REST * took)
                for ask in asks:
                    ask.reader.take_part(ask.number, part if ask in allowed else FORBIDDEN)
        finally:
            self._waiting.pop(view, None)
            del self._serving[view]

    # ---------------------------------------------------------------- in the thread
    def _make(self, view: PartView, asks: list[Ask]) -> tuple[bytes | int, set[Ask], float]:
        """The packed part or a status, for whom it is, and how long it took."""
        began = monotonic()
        close_old_connections()
        try:
            allowed = who_may(view, asks)
            part = self._render(view, allowed[0].reader.scope) if allowed else FORBIDDEN
            if not who_may(view, allowed[:1]):  # who has got more rights in the meantime shows them to nobody
                allowed = []
        except Exception:
            log.exception("part failed", url=view.url[:200])
            return FAILED, set(asks), monotonic() - began
        finally:
            close_old_connections()
        return part, set(allowed), monotonic() - began

    def _render(self, view: PartView, scope: dict[str, Any]) -> bytes | int:
        if self._handler is None:
            self._handler = BaseHandler()
            self._handler.load_middleware()
        self.made += 1
        response: Any = self._handler.get_response(request_for(view, scope))
        try:
            if response.status_code != 200:
                return int(response.status_code)
            if not isinstance(response, HttpResponse) or not response["Content-Type"].startswith("text/html"):
                return NO_PART
            return gzip.compress(TOKEN.sub(rb"\1", response.content), compresslevel=1, mtime=0)
        finally:
            response.close()


def request_for(view: PartView, scope: dict[str, Any]) -> ASGIRequest:
    """The request that the browser behind a socket would send for the part."""
    path, _, query = view.url.partition("?")
    headers = [*headers_of(scope).items()]
    headers += [(b"hx-request", b"true"), (b"hx-target", view.target.encode("latin-1", "ignore")), (b"x-live", b"1")]
    asked = {
        "type": "http",
        "method": "GET",
        "scheme": view.origin[0],
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": headers,
        "client": scope.get("client"),
        "server": scope.get("server"),
    }
    request = ASGIRequest(asked, BytesIO())
    request.shared = True  # type: ignore[attr-defined]  # through others' eyes nothing is made for many
    return request


def who_may(view: PartView, asks: Iterable[Ask]) -> list[Ask]:
    """Those whose login and rights are still what they were when they asked: a few queries for all of them."""
    sessions = {ask: ask.reader.scope.get("session") for ask in asks}
    keys = [session.session_key for session in sessions.values() if session is not None]
    open_ones = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    known = set(open_ones.values_list("session_key", flat=True))
    users = second_factor.with_duty({ask.reader.user.pk for ask in sessions})
    load_standings(users.values())
    hashes = {pk: user.get_session_auth_hash() for pk, user in users.items() if standing_of(user) == view.standing}
    return [
        ask
        for ask, session in sessions.items()
        if session is not None
        and session.session_key in known
        and (now := hashes.get(ask.reader.user.pk))
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), now)
    ]


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Parts] = WeakKeyDictionary()


def parts() -> Parts:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = Parts()
    return _of_loops[loop]
