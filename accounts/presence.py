"""Who sockets belong to now: asked again every few seconds by each of them, and answered for all of them at once."""

import asyncio
import contextlib
import copy
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import eyes, second_factor, tokens
from accounts.models import User
from accounts.models.teams import load_standings

GATHER_SECONDS = 0.03  # sockets look at the same moments


@dataclass(frozen=True)
class Credential:
    """What a socket was opened with: a session's key, or a token and from where."""

    session: str = ""
    token: str = ""
    address: str = ""


def users_of(credentials: Iterable[Credential]) -> dict[Credential, User | None]:
    """Whom each would let in now, as a request would be asked: a few queries for all of them."""
    asked = list(credentials)
    known = _of_sessions({one.session for one in asked if one.session})
    found = {one: _of_token(one) if one.token else known.get(one.session) for one in asked}
    load_standings(user for user in found.values() if user)
    return found


def _of_token(credential: Credential) -> User | None:
    with contextlib.suppress(tokens.TokenRefused):
        return tokens.user_of(credential.token, credential.address)
    return None


def _of_sessions(keys: set[str]) -> dict[str, User]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()) if keys else []
    told = {row.session_key: row.get_decoded() for row in rows}
    users = second_factor.with_duty({int(data[SESSION_KEY]) for data in told.values() if SESSION_KEY in data})
    found = {}
    for key, data in told.items():
        user = users.get(int(data.get(SESSION_KEY, 0)))
        if user and user.is_active and _is_of(user, data.get(HASH_SESSION_KEY, "")):
            found[key] = eyes.through(user, data.get(eyes.KEY))
    return found


def _is_of(user: User, digest: str) -> bool:
    """Whether the session began with the password that the user has now."""
    return constant_time_compare(digest, user.get_session_auth_hash())


class Presence:
    """Gathers what is asked within a moment."""

    def __init__(self) -> None:
        self._asked: dict[Credential, asyncio.Future[User | None]] = {}
        self._answering: set[asyncio.Task[None]] = set()  # the loop keeps only weak references to tasks

    async def user_of(self, credential: Credential) -> User | None:
        """Whom it lets in now; a copy of one's own."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            task = loop.create_task(self._answer())
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        answer = self._asked.setdefault(credential, loop.create_future())
        return copy.copy(await asyncio.shield(answer))

    async def _answer(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        asked, self._asked = self._asked, {}
        try:
            found = await database_sync_to_async(users_of)(list(asked))
        except Exception as error:
            for answer in asked.values():
                answer.set_exception(error)
        else:
            for credential, answer in asked.items():
                answer.set_result(found[credential])


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Presence] = WeakKeyDictionary()


def presence() -> Presence:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = Presence()
    return _of_loops[loop]
