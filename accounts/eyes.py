"""Looking through the eyes of a user: an administrator's session shows what the user sees, and changes nothing."""

import time
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from accounts import second_factor
from accounts.audit import record
from accounts.models import User
from accounts.rights import VIEWS, Limits, Right, Role, allows
from common.errors import Conflict, Denied

KEY = "eyes"  # in the session, which lies in the database: {"user": key, "name": its name, "until": seconds since 1970}
SECONDS = 30 * 60
READS = frozenset({"GET", "HEAD", "OPTIONS"})
WRITES = frozenset({"eyes_stop", "account_logout"})  # the routes that take a POST meanwhile
# Pages for all who are logged in that are open meanwhile; the others are about the person themself.
OPEN = frozenset({"frame", "find", "quota_list", "quota_team", "team_list", "team_page", "eyes_stop"})


class Looking(Denied):
    """Nothing is changed through the eyes of somebody else."""

    code = "looking"
    template = gettext_noop("You look through the eyes of somebody else: nothing can be changed. Stop looking first.")


def may(admin: Any) -> bool:
    """Whether this one may look through others' eyes: an administrator in a browser, as themself."""
    return (
        isinstance(admin, User)
        and (admin.role, admin.token, admin.looker) == (Role.ADMIN, None, None)
        and allows(admin, Right.USERS_MANAGE)
    )


def begin(request: HttpRequest, user: User) -> None:
    """From now on in the session of the request. Raises Denied, Conflict."""
    admin = request.user
    if not may(admin):
        record(admin, "eyes.begin", user.username, outcome="refused")  # type: ignore[arg-type]
        raise Denied
    if user.pk == admin.pk:
        raise Conflict(gettext_noop("You look through your own eyes already."))
    if user.is_service:
        raise Conflict(gettext_noop("A service account sees no pages: programs use it by its API tokens."))
    if _seen(admin, user.pk) is None:
        raise Conflict(gettext_noop("This account sees nothing: it is closed, or has yet to set up its second factor."))
    with transaction.atomic():
        request.session[KEY] = {"user": user.pk, "name": user.username, "until": time.time() + SECONDS}
        record(admin, "eyes.begin", user.username, detail={"minutes": SECONDS // 60})  # type: ignore[arg-type]


def end(request: HttpRequest, admin: Any, reason: str) -> None:
    """The session is its owner's again. `reason`: stopped, over (its time, the user's account, or the right), logout."""
    looked = request.session.pop(KEY, None)
    if looked:
        record(admin, "eyes.end", str(looked["name"]), detail={"reason": reason})


def through(admin: Any, told: Any) -> Any:
    """Who sees now: the user that the session's `told` names, with what an administrator may look at; `admin` where it
    names none, or is over."""
    if not told or not may(admin) or told["until"] <= time.time():
        return admin
    return _seen(admin, told["user"]) or admin


def _seen(admin: Any, key: int) -> User | None:
    user = second_factor.with_duty([key]).get(key)
    if user is None or not user.is_active or user.is_service or user.lacks_second_factor:
        return None
    user.looker, user.narrowed = admin, Limits(rights=VIEWS)
    return user


@receiver(user_logged_out)
def _logged_out(request: HttpRequest, user: Any, **_rest: Any) -> None:
    if getattr(user, "looker", None):
        record(user.looker, "eyes.end", user.username, detail={"reason": "logout"})
