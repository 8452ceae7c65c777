"""The door of HTTP: who may send a large body, before any of it is read.

Django reads a request's whole body before a view, and so any rule, sees it: without this, a stranger could fill the data
folder's disk with an upload, or keep a request open by sending a byte now and then.
"""

import asyncio
import contextlib
import json
from http import HTTPStatus
from http.cookies import CookieError
from time import monotonic
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.http.cookie import parse_cookie

from accounts import tokens
from accounts.rights import rights_of
from accounts.sockets import address_of, bearer, user_of_session

ANYBODY_AT_MOST = 1024 * 1024  # bytes of a body: a form, or a text
ANYBODY_SECONDS = 30.0  # for the whole of it
REFUSALS = {
    401: ("not_logged_in", "Log in, or send an API token, before you send this much."),
    408: ("too_slow", "The request took too long to arrive."),
    413: ("too_large", "Your account may not send this much."),
}

AS_ALL_ANSWERS = [  # Django's middleware, which says this otherwise, does not hear of it
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
]


class Refused(RequestAborted):
    """Ends Django's reading."""


class Door:
    """Passes requests on. A body above ANYBODY_AT_MOST, or one that takes longer than ANYBODY_SECONDS, is read only from
    people who may change something, and otherwise answered at once, and the connection closed."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = Body(scope, receive)
        if body.announced > ANYBODY_AT_MOST and (status := await body.why_not(413)):
            return await refuse(send, status)
        await self.inner(scope, body.receive, send)
        if body.refused:
            await refuse(send, body.refused)


class Body:
    """The body of a request as it comes. `refused` is the status that its reading was ended with, else 0."""

    def __init__(self, scope: dict[str, Any], receive: Any) -> None:
        self._scope, self._receive = scope, receive
        self._end, self._size = monotonic() + ANYBODY_SECONDS, 0
        self._complete = self._trusted = False
        self.refused = 0
        length = dict(scope["headers"]).get(b"content-length", b"")
        self.announced = int(length) if length.isdigit() else 0

    async def receive(self) -> Any:
        """The next message. Raises Refused."""
        if self._complete or self._trusted:
            return await self._receive()
        try:
            async with asyncio.timeout(self._end - monotonic()):
                message = await self._receive()
        except TimeoutError:
            await self._trust_or_raise(408)
            return await self._receive()
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > ANYBODY_AT_MOST:
            await self._trust_or_raise(413)
        return message

    async def _trust_or_raise(self, status: int) -> None:
        if refused := await self.why_not(status):
            self.refused = refused
            raise Refused

    async def why_not(self, status: int) -> int:
        """0 for somebody who may change something; else `status`, or 401 for a stranger who sends too much."""
        self._trusted, known = await self._who() if has_credentials(self._scope) else (False, False)
        if self._trusted:
            return 0
        return status if known or status != 413 else 401

    async def _who(self) -> tuple[bool, bool]:
        return await database_sync_to_async(who)(self._scope)


def has_credentials(scope: dict[str, Any]) -> bool:
    """Whether it is worth asking the database."""
    return bool(bearer(scope) or _session_key(scope))


def who(scope: dict[str, Any]) -> tuple[bool, bool]:
    """(may change something, has logged in) of whom the request's token or session belongs to."""
    user: Any = None
    if token := bearer(scope):
        with contextlib.suppress(tokens.TokenRefused):
            user = tokens.user_of(token, address_of(scope))
    if user is None and (key := _session_key(scope)):
        user = user_of_session(key)
    if user is None:
        return False, False
    return any(not right.endswith(".view") and "." in right for right in rights_of(user)), True


def _session_key(scope: dict[str, Any]) -> str:
    header = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    try:
        return parse_cookie(header).get(settings.SESSION_COOKIE_NAME, "")
    except CookieError:
        return ""


async def refuse(send: Any, status: int) -> None:
    """Problem JSON, after which the server closes the connection: what is still coming is not read."""
    code, title = REFUSALS[status]
    problem = {"type": f"urn:dermaga:{code}", "title": title, "status": status, "code": code}
    text = json.dumps(problem).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(text)).encode()),
        (b"connection", b"close"),
        *AS_ALL_ANSWERS,
    ]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
