"""One-time links: an invitation to make oneself an account, and a new password for who forgot it."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import people, sessions
from accounts.audit import record
from accounts.models import LinkKind, OneTimeLink, User
from accounts.rights import SYSTEM, Right, Role, System, allows
from common.errors import Conflict, Denied, DermagaError, Invalid, NotFound

INVITATION_DAYS_AT_MOST = 90
PASSWORD_HOURS = 24
MAIL_HOURS = 2


class LinkGone(DermagaError):
    """Used, expired, taken back, or never made: nobody can tell."""

    status = 404
    code = "link_gone"
    template = gettext_noop("This link was used already, has expired or was taken back. Ask for another one.")


def _make(kind: LinkKind, by: User | System, lasts: timedelta, **of: object) -> tuple[OneTimeLink, str]:
    secret = secrets.token_urlsafe(32)
    values = {"by": by if isinstance(by, User) else None, "expires": timezone.now() + lasts, **of}
    return OneTimeLink.objects.create(kind=kind, digest=OneTimeLink.hash(secret), **values), secret


def find(kind: LinkKind, secret: str) -> OneTimeLink:
    """One that holds now. Raises LinkGone."""
    there = OneTimeLink.objects.select_related("user", "by")
    link = there.filter(kind=kind, digest=OneTimeLink.hash(secret), expires__gt=timezone.now()).first()
    if link is None or (link.by is not None and not allows(link.by, Right.USERS_MANAGE)):
        raise LinkGone
    if link.user is not None and (not link.user.is_active or link.user.is_service):
        raise LinkGone
    return link


def _use(link: OneTimeLink) -> None:
    """In a transaction: of two who use it at once one is too late. Raises LinkGone."""
    if not OneTimeLink.objects.filter(pk=link.pk).delete()[0]:
        raise LinkGone


def forget_old() -> None:
    """Those that have expired."""
    OneTimeLink.objects.filter(expires__lte=timezone.now()).delete()


# ---------------------------------------------------------------- invitations
def invitations() -> QuerySet[OneTimeLink]:
    """Those that nobody has used yet."""
    return OneTimeLink.objects.filter(kind=LinkKind.INVITATION, expires__gt=timezone.now()).select_related("by")


def invite(actor: User | System, role: str, days: int = 7) -> tuple[OneTimeLink, str]:
    """An invitation, and the secret of its link, which is shown this once. Raises Denied, Invalid."""
    if not allows(actor, Right.USERS_MANAGE):
        record(actor, "user.invite", outcome="refused")
        raise Denied
    if role not in Role.values:
        raise Invalid("role", gettext_noop("There is no role called %(role)s."), {"role": role[:60]})
    if not 1 <= days <= INVITATION_DAYS_AT_MOST:
        raise Invalid("days", gettext_noop("An invitation holds for 1 to 90 days."))
    with transaction.atomic():
        made = _make(LinkKind.INVITATION, actor, timedelta(days=days), role=role)
        record(actor, "user.invite", str(made[0].pk), detail={"role": role, "days": days})
    return made


def take_back(actor: User | System, pk: int) -> None:
    """Nobody joins by it any more. Raises Denied, NotFound."""
    if not allows(actor, Right.USERS_MANAGE):
        raise Denied
    with transaction.atomic():
        if not OneTimeLink.objects.filter(kind=LinkKind.INVITATION, pk=pk).delete()[0]:
            raise NotFound
        record(actor, "user.invite.take_back", str(pk))


@transaction.atomic
def join(link: OneTimeLink, name: str, password: str, email: str = "") -> User:
    """The account of who was invited. Raises LinkGone, Invalid."""
    _use(link)
    user = people.add(SYSTEM, {"username": name, "email": email, "role": link.role, "is_active": True}, password)
    by = link.by.username if link.by else "system"
    record(user, "user.join", user.username, detail={"invitation": link.pk, "by": by, "role": link.role})
    return user


# ---------------------------------------------------------------- passwords
def for_password(actor: User | System, user: User, lasts: timedelta = timedelta(hours=PASSWORD_HOURS)) -> str:
    """The secret of a link by which `user` chooses a new password; those from before are void. Raises Denied, Conflict."""
    if not allows(actor, Right.USERS_MANAGE):
        record(actor, "user.password.link", user.username, outcome="refused")
        raise Denied
    if user.is_service or not user.is_active:
        raise Conflict(gettext_noop("%(name)s does not log in by a password."), {"name": user.username})
    with transaction.atomic():
        OneTimeLink.objects.filter(kind=LinkKind.PASSWORD, user=user).delete()
        _link, secret = _make(LinkKind.PASSWORD, actor, lasts, user=user)
        record(actor, "user.password.link", user.username, detail={"hours": lasts.total_seconds() / 3600})
    return secret


@transaction.atomic
def choose_password(link: OneTimeLink, password: str) -> User:
    """The new password of who forgot it; every session of theirs ends, a second factor stays. Raises LinkGone, Invalid."""
    _use(link)
    user = link.user
    assert user is not None
    people.check_password(user, password)
    sessions.drop(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    record(user, "user.password", user.username, detail={"by": "link"})
    return user
