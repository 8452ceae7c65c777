"""The guard of websockets: login and right before anything else and now and then, and only from our own origin or with
a token."""

import asyncio
import contextlib
from collections.abc import Coroutine
from importlib import import_module
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth import get_user
from django.http.request import split_domain_port, validate_host

from accounts import eyes, origin, tokens
from accounts.models import User
from accounts.presence import Credential, presence
from accounts.rights import Right, allows, standing_of

NOT_LOGGED_IN, NOT_ALLOWED, UNKNOWN, TOO_SLOW, TOO_MANY = 4401, 4403, 4404, 4408, 4429
CHECK_EVERY = 3.0  # seconds between two looks at whether the user may still be here: all sockets at the same moments

log = structlog.get_logger("dermaga.streams")


class Gone(Exception):
    """The browser went away while it was being sent to, as closed tabs do."""


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of `origin` may open sockets at `host` (its Host header) with its cookies. As strict as for forms:
    another port of the same machine is another site, although the browser sends it the same cookies."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    if parts.scheme not in ({"https"} if settings.SESSION_COOKIE_SECURE else {"http", "https"}):
        return False
    return parts.netloc.lower() == host.lower() and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


class TokenOrOrigin:
    """A bearer token lets any origin in, as its user; without one the Origin header must be ours."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", [])}
        if token := bearer(scope):
            user, refused = await database_sync_to_async(_of_token)(token, address_of(scope))
            scope = {**scope, "token_user": user, "token_refused": refused}
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"cookie"]
        elif not is_ours(headers.get(b"origin", ""), headers.get(b"host", "")):
            return await WebsocketDenier()(scope, receive, send)
        return await self.inner(scope, receive, send)


def _of_token(token: str, address: str) -> tuple[User | None, str]:
    """Whom the token lets in; the code that says why it does not."""
    try:
        return tokens.user_of(token, address), ""
    except tokens.TokenRefused as error:
        return None, error.code


def address_of(scope: dict[str, Any]) -> str:
    """From where a request or socket comes."""
    return str((scope.get("client") or [""])[0])


def bearer(scope: dict[str, Any]) -> str:
    """The token of a request's Authorization header, "" for none."""
    header = dict(scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def user_of_session(key: str | None) -> User | None:
    """Who is logged in with a session now; None for nobody."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    found: Any = get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]
    return found if found.is_authenticated else None


class GuardedConsumer(AsyncWebsocketConsumer):
    """A socket with a rule. Subclasses set `rule` and implement `opened`, called once the rule is met.

    The socket is accepted first and closed with 4401 or 4403 then: a browser cannot see why a handshake failed. It is
    closed so as well when the user is logged out, or loses the right, while it is open. Tasks made with `spawn` end
    with the socket.
    """

    rule: ClassVar[Right]
    check_every = CHECK_EVERY
    user: User
    let_in = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        try:
            with contextlib.suppress(Gone):
                await super().__call__(scope, receive, send)
        finally:  # also when a handler failed: then nobody calls disconnect
            self._end_tasks()

    async def connect(self) -> None:
        came = origin.begin(address_of(self.scope))
        await self.accept()
        user = self.scope["token_user"] if "token_user" in self.scope else self.scope.get("user")
        if user is not None and "token_user" not in self.scope and "session" in self.scope:
            user = await database_sync_to_async(lambda: eyes.through(user, self.scope["session"].get(eyes.KEY)))()
        await database_sync_to_async(standing_of)(user)  # reads what is granted
        if user is None or not user.is_authenticated:
            await self.close(NOT_LOGGED_IN, self.scope.get("token_refused") or None)
        elif not allows(user, self.rule):
            await self.close(NOT_ALLOWED)
        else:
            self.user = user
            if user.token is not None:
                came.via = f"token {user.token}"
            self.spawn(self._watch_over())
            self.let_in = True
            await self.opened()

    async def websocket_receive(self, message: Any) -> None:
        """What is said before the close arrives by who was not let in is not heard."""
        if self.let_in:
            await super().websocket_receive(message)

    async def opened(self) -> None:
        """Called when the rule is met."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        self._end_tasks()

    # ---------------------------------------------------------------- tasks
    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs `work` for as long as the socket is open; an error in it closes the socket."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Gone):
            log.error("stream failed", socket=type(self).__name__, exc_info=error)
            # the loop keeps only weak references to tasks
            closing = asyncio.ensure_future(self.leave(1011))
            self._tasks.add(closing)
            closing.add_done_callback(self._tasks.discard)

    def _end_tasks(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        """Sends to the browser. Raises Gone."""
        try:
            await super().send(text_data=text_data, bytes_data=bytes_data, close=close)
        except (OSError, RuntimeError) as error:  # a server's ways to say that either side has closed
            raise Gone from error

    async def leave(self, code: int = 1000, reason: str = "") -> None:
        """Closes the socket; the other side may be gone already."""
        with contextlib.suppress(Exception):
            await self.close(code, reason or None)

    # ---------------------------------------------------------------- who
    async def _watch_over(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.check_every - loop.time() % self.check_every)
            if code := await self.why_leave():
                return await self.leave(code)

    async def why_leave(self) -> int:
        """The code that the socket is to be closed with now, 0 for none; `self.user` is read afresh."""
        user = await self._user_now()
        if user is None:
            return NOT_LOGGED_IN
        self.user = user
        return 0 if allows(user, self.rule) else NOT_ALLOWED

    async def _user_now(self) -> User | None:
        """Who the session or token that opened the socket belongs to now, as a request would be asked: a logout, a new
        password, a closed account and a removed token end it."""
        if "token_user" in self.scope:
            return await presence().user_of(Credential(token=bearer(self.scope), address=address_of(self.scope)))
        if "session" not in self.scope:  # not through our middleware: a test
            user = await User.objects.filter(pk=self.user.pk).afirst()
            await database_sync_to_async(standing_of)(user)
            return user
        found = await presence().user_of(Credential(session=self.scope["session"].session_key or ""))
        return found if found and found.pk == self.user.pk else None


class UnknownSocket(AsyncWebsocketConsumer):
    """Any path without a route."""

    rule = Right.PUBLIC

    async def connect(self) -> None:
        await self.accept()
        await self.close(UNKNOWN)


unknown_socket = UnknownSocket.as_asgi()
