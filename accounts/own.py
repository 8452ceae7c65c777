"""What belongs to one account: everybody manages what is their own, who manages users that of everybody. A token that is
for some rights alone is for nothing else, so not for its user's sessions and tokens."""

from typing import Any

from accounts.audit import record
from accounts.models import User
from accounts.rights import Right, System, allows
from common.errors import Denied, NotFound


def require(actor: User | System, user: User, action: str) -> None:
    """Raises Denied, and says so in the audit, unless `actor` is `user` or manages users."""
    if not _is_whole(actor, user.username) and not allows(actor, Right.USERS_MANAGE):
        record(actor, action, user.username, outcome="refused")
        raise Denied


def _is_whole(actor: Any, name: str) -> bool:
    return isinstance(actor, User) and actor.username == name and actor.narrowed is None


def person_named(actor: Any, name: str) -> User:
    """`actor`, or somebody else for who manages users: others learn of nobody. Raises Denied, NotFound."""
    if not _is_whole(actor, name) and not allows(actor, Right.USERS_MANAGE):
        raise Denied
    found = User.objects.filter(username=name).first()
    if found is None:
        raise NotFound
    return found
