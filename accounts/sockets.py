"""The guard of websockets: login and right before anything else, and only from our own origin or with a token."""

from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator

from accounts.models import ApiToken, User
from accounts.rights import Right, allows

NOT_LOGGED_IN, NOT_ALLOWED, UNKNOWN, TOO_SLOW, TOO_MANY = 4401, 4403, 4404, 4408, 4429


class TokenOrOrigin:
    """A bearer token lets any origin in, as its user; without one the Origin header must be ours."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.same_origin = AllowedHostsOriginValidator(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        header = dict(scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
        if not header.lower().startswith("bearer "):
            return await self.same_origin(scope, receive, send)
        user = await database_sync_to_async(ApiToken.user_of)(header[7:].strip())
        scope = {**scope, "token_user": user, "headers": [h for h in scope["headers"] if h[0] != b"cookie"]}
        return await self.inner(scope, receive, send)


class GuardedConsumer(AsyncWebsocketConsumer):
    """A socket with a rule. Subclasses set `rule` and implement `opened`, called once the rule is met.

    The socket is accepted first and closed with 4401 or 4403 then: a browser cannot see why a handshake failed.
    """

    rule: ClassVar[Right]
    user: User

    async def connect(self) -> None:
        await self.accept()
        user = self.scope.get("token_user") or self.scope.get("user")
        if user is None or not user.is_authenticated or ("token_user" in self.scope and not self.scope["token_user"]):
            await self.close(NOT_LOGGED_IN)
        elif not allows(user, self.rule):
            await self.close(NOT_ALLOWED)
        else:
            self.user = user
            await self.opened()

    async def opened(self) -> None:
        """Called when the rule is met."""
        raise NotImplementedError

    async def still_allowed(self) -> bool:
        """Whether the user, looked up afresh, still meets the rule: long-lived sockets ask now and then."""
        user = await database_sync_to_async(User.objects.filter(pk=self.user.pk).first)()
        return allows(user, self.rule)


class UnknownSocket(AsyncWebsocketConsumer):
    """Any path without a route."""

    rule = Right.PUBLIC

    async def connect(self) -> None:
        await self.accept()
        await self.close(UNKNOWN)


unknown_socket = UnknownSocket.as_asgi()
