"""Who sends a request, told from its headers alone: before its body is read."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http.cookie import parse_cookie

from accounts.models import ApiToken, User
from accounts.rights import SENDS_FILES, allows


def bearer(scope: dict[str, Any]) -> str:
    """The token of a request's Authorization header, "" for none."""
    header = dict(scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def user_of_session(key: str | None) -> User | None:
    """Who is logged in with a session now; None for nobody, and for an account that was closed."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    found: Any = get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]
    return found if found.is_authenticated else None


async def may_send_files(scope: dict[str, Any]) -> bool:
    """Whether a request's sender is somebody who may send files, to wherever."""
    return await database_sync_to_async(_may_send_files)(scope)


def _may_send_files(scope: dict[str, Any]) -> bool:
    if token := bearer(scope):
        user = ApiToken.user_of(token)
    else:
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
        user = user_of_session(parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME))
    return any(allows(user, right) for right in SENDS_FILES)
