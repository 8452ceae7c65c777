"""Sessions of browsers: where somebody is logged in, and how that ends. allauth keeps a row of each beside Django's."""

import re
import threading
from collections import OrderedDict
from time import monotonic
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import own
from accounts.audit import record
from accounts.models import User
from accounts.rights import System
from common.errors import NotFound

SEEN_EVERY = 60.0  # seconds between two notes of a session's last use
KEYS_AT_MOST = 10_000
PROGRAMS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    **{"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows"},
    **{"Mac OS X": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"},
}
_noted: OrderedDict[str, float] = OrderedDict()  # session key -> when it was noted last, by this process
_lock = threading.Lock()


def client_of(user_agent: str) -> str:
    """Browser and system in a word each, of what the browser says of itself; that, where it is none we know."""
    program = next((name for sign, name in PROGRAMS.items() if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return f"{program}, {system}" if program and system else program or re.sub(r"\s+", " ", user_agent)[:60].strip()


# ---------------------------------------------------------------- what is noted
def seen(request: HttpRequest) -> None:
    """Notes that the session of the request is used: when, from where, by which browser; once a minute at most."""
    key = request.session.session_key
    if key and _is_due(key):
        UserSession.objects.create_from_request(request)


def _is_due(key: str) -> bool:
    now = monotonic()
    with _lock:
        if now - _noted.get(key, -SEEN_EVERY) < SEEN_EVERY:
            return False
        _noted[key] = now
        _noted.move_to_end(key)
        if len(_noted) > KEYS_AT_MOST:
            _noted.popitem(last=False)
        return True


@receiver(user_logged_in)
def _begun(request: HttpRequest, user: User, **_rest: Any) -> None:
    request.user = user
    seen(request)


def forget_old() -> None:
    """Rows of sessions that have run out."""
    there = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    UserSession.objects.exclude(session_key__in=there).delete()


# ---------------------------------------------------------------- acts
def of(user: User) -> list[UserSession]:
    """Those that let `user` in now, the one that was used last first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda session: session.last_seen_at, reverse=True)


def get(user: User, pk: int) -> UserSession:
    """One of them. Raises NotFound."""
    found: UserSession | None = UserSession.objects.filter(user=user, pk=pk).first()
    if found is None:
        raise NotFound
    return found


def end(actor: User | System, session: UserSession) -> None:
    """The browser has to log in again, and its sockets close within seconds. Raises Denied."""
    own.require(actor, session.user, "session.end")
    detail = {"client": client_of(session.user_agent), "from": session.ip}
    with transaction.atomic():
        session.end()
        record(actor, "session.end", session.user.username, detail=detail)


def end_all(actor: User | System, user: User, keep: str | None = None) -> int:
    """All but the one with the key `keep`; how many. Raises Denied."""
    own.require(actor, user, "session.end_all")
    with transaction.atomic():
        ended = drop(user, keep)
        record(actor, "session.end_all", user.username, detail={"sessions": ended})
    return ended


def drop(user: User, keep: str | None = None) -> int:
    """Ends them as a part of another act."""
    rows = [session for session in of(user) if session.session_key != keep]
    for session in rows:
        session.end()
    return len(rows)
