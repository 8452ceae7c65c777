"""Accounts: made, changed and removed; pages, REST and commands all come through here."""

from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference, told
from accounts.models import User
from accounts.rights import SYSTEM, Right, Role, System, allows
from common.errors import Conflict, Denied, Invalid

FIELDS = ("username", "email", "role", "is_active", "is_service")


def add(actor: User | System, values: Mapping[str, Any], password: str = "") -> User:
    """A new account with the FIELDS that are given; without a password it is a service account. Raises Denied, Invalid."""
    _require(actor, "user.add", str(values.get("username", "")))
    return _store(actor, User(), values, password)


def add_from(source: str, name: str, email: str) -> User:
    """An account of somebody whom `source` knows: without a password, and with nothing but what is granted. Raises Invalid."""
    user = User(username=name, email=email, role=Role.MEMBER)
    user.set_unusable_password()
    _check(user)
    with transaction.atomic():
        user.save()
        record(SYSTEM, "user.add", user.username, detail={"role": user.role, "source": source})
    return user


def change(actor: User | System, user: User, values: Mapping[str, Any], password: str = "") -> User:
    """What is given changes. A new password, a closed account and one that becomes a service account log the person out.
    Raises Denied, Invalid, Conflict."""
    _require(actor, "user.change", user.username)
    return _store(actor, user, values, password)


def remove(actor: User | System, user: User) -> None:
    """With its API tokens and sessions; what it did stays in the audit, under its name. Raises Denied, Conflict."""
    _require(actor, "user.remove", user.username)
    if isinstance(actor, User) and actor.pk == user.pk:
        raise Conflict(gettext_noop("Nobody removes their own account. Another administrator can."))
    with transaction.atomic():
        _lock_administrators()
        _keep_one_administrator(user, stays=False)
        name, was = user.username, told(user, *FIELDS)
        user.delete()
        record(actor, "user.remove", name, detail=difference(was, {}))


def _require(actor: User | System, action: str, target: str) -> None:
    if not allows(actor, Right.USERS_MANAGE):
        record(actor, action, target, outcome="refused")
        raise Denied


@transaction.atomic
def _store(actor: User | System, user: User, values: Mapping[str, Any], password: str) -> User:
    _lock_administrators()
    is_new = user.pk is None
    before = {} if is_new else told(user, *FIELDS)
    for name in FIELDS:
        if name in values:
            setattr(user, name, values[name])
    _check(user)
    _keep_one_administrator(user, stays=user.role == Role.ADMIN and user.is_active and not user.is_service)
    _set_password(user, password)
    user.save()
    detail = {"password": bool(password)} | difference(before, told(user, *FIELDS))
    record(actor, "user.add" if is_new else "user.change", user.username, detail=detail)
    return user


def _lock_administrators() -> None:
    """Two at once must not demote each other."""
    list(User.objects.select_for_update().filter(role=Role.ADMIN))


def _check(user: User) -> None:
    """Raises Invalid for the first wrong value."""
    try:
        user.clean_fields(exclude=["password", "date_joined"])
    except ValidationError as error:
        field, reasons = next(iter(error.message_dict.items()))
        raise Invalid(field, "%(reason)s", {"reason": " ".join(reasons)}) from error
    if User.objects.filter(username__iexact=user.username).exclude(pk=user.pk).exists():
        raise Invalid("username", gettext_noop("There is an account of this name already."))


def _keep_one_administrator(user: User, *, stays: bool) -> None:
    administrators = User.objects.filter(role=Role.ADMIN, is_active=True, is_service=False)
    was = bool(user.pk) and administrators.filter(pk=user.pk).exists()
    if was and not stays and not administrators.exclude(pk=user.pk).exists():
        raise Conflict(gettext_noop("This is the last administrator: make another one first."))


def _set_password(user: User, password: str) -> None:
    if user.is_service:
        if password:
            words = gettext_noop("A service account has no password: programs use it by its API tokens.")
            raise Invalid("password", words)
        if user.has_usable_password():
            user.set_unusable_password()
    elif password:
        check_password(user, password)
        user.set_password(password)
    elif not user.password or not (user.has_usable_password() or _is_known_elsewhere(user)):
        raise Invalid("password", gettext_noop("An account of a person needs a password."))


def _is_known_elsewhere(user: User) -> bool:
    """Whether a provider logs the account in."""
    return bool(user.pk) and SocialAccount.objects.filter(user=user).exists()


def check_password(user: User, password: str) -> None:
    """Raises Invalid with what is wrong with it."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid("password", "%(reason)s", {"reason": " ".join(error.messages)}) from error
