"""Second factors: the code of an authenticator app, a passkey, or a recovery code. allauth keeps and checks them; here is what it
asks us and tells us for the audit, and how an administrator takes one away."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, When
from django.dispatch import receiver
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts import sessions
from accounts.audit import record
from accounts.differences import difference
from accounts.models import RoleWithSecondFactor, User
from accounts.rights import Right, Role, System, allows
from common.errors import Conflict, Denied, Invalid
from common.secrets import seal, unseal

KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone protect nothing


class MFAAdapter(DefaultMFAAdapter):
    """Secrets are stored encrypted, and what is wrong is said in our words."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _(
            "This code is wrong, was used already, or its time is over. Check the clock of your device."
        ),
        "cannot_generate_recovery_codes": _("Set up an authenticator app or a passkey first."),
    }

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(n)s") % {"n": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Dermaga"}

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)


# ---------------------------------------------------------------- who has one
def of(user: User) -> bool:
    """Whether a login of `user` asks for a second factor."""
    return bool(Authenticator.objects.filter(user=user, type__in=KINDS).exists())


def with_knowledge(users: QuerySet[User]) -> QuerySet[User]:
    """With `has_second_factor` on each."""
    return users.annotate(has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=KINDS)))


def with_duty(keys: Iterable[Any]) -> dict[Any, User]:
    """Users by key, as their sessions let them in: each with `lacks_second_factor`."""
    needed: Any = Q(Exists(RoleWithSecondFactor.objects.filter(role=OuterRef("role"))))
    there = Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=KINDS))
    if settings.OIDC_IS_SECOND_FACTOR:  # who can log in by nothing else has it with each login
        password = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        needed &= ~(password & Exists(SocialAccount.objects.filter(user=OuterRef("pk"))))
    lacks = Case(When(needed & ~there, then=True), default=False, output_field=BooleanField())
    return User.objects.annotate(lacks_second_factor=lacks).in_bulk(keys)  # type: ignore[no-redef]


def roles() -> list[str]:
    """Those that need one."""
    return list(RoleWithSecondFactor.objects.order_by("role").values_list("role", flat=True))


def lacking_by_role() -> list[tuple[str, int]]:
    """How many people of each role have none."""
    people = User.objects.filter(is_active=True, is_service=False).exclude(authenticator__type__in=KINDS)
    counted = Counter(people.values_list("role", flat=True))
    return [(str(label), counted[role]) for role, label in Role.choices if counted[role]]


def require_for(actor: User | System, names: Iterable[str]) -> None:
    """From now on for these roles and no others. Raises Denied, Invalid."""
    if not allows(actor, Right.USERS_MANAGE):
        record(actor, "second_factor.require", outcome="refused")
        raise Denied
    wanted = sorted(set(names))
    for name in wanted:
        if name not in Role.values:
            raise Invalid("roles", gettext_noop("There is no role called %(role)s."), {"role": name[:60]})
    with transaction.atomic():
        was = roles()
        RoleWithSecondFactor.objects.exclude(role__in=wanted).delete()
        RoleWithSecondFactor.objects.bulk_create(
            [RoleWithSecondFactor(role=name) for name in wanted], ignore_conflicts=True
        )
        record(actor, "second_factor.require", detail=difference({"roles": was}, {"roles": wanted}))


def remove(actor: Any, user: User) -> None:
    """Takes second factor and recovery codes away, and logs the person out: the next login needs the password alone.
    Raises Denied, Conflict."""
    if not allows(actor, Right.USERS_MANAGE):
        record(actor, "second_factor.remove", user.username, outcome="refused")
        raise Denied
    _remove(actor, user)


@transaction.atomic
def _remove(actor: User | System, user: User) -> None:
    removed, _of_which = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise Conflict(gettext_noop("%(name)s has no second factor."), {"name": user.username})
    ended = sessions.drop(user)
    record(actor, "second_factor.remove", user.username, detail={"kind": "all", "sessions": ended})


# ---------------------------------------------------------------- the audit of what allauth does
def _said(authenticator: Authenticator) -> dict[str, Any]:
    """Its kind, and of a passkey its name and whether it logs in alone."""
    said: dict[str, Any] = {"kind": authenticator.type}
    if authenticator.type == Authenticator.Type.WEBAUTHN:
        passkey = authenticator.wrap()
        said |= {"name": passkey.name, "alone": bool(passkey.is_passwordless)}
    return said


@receiver(signals.authenticator_added)
def _added(user: User, authenticator: Authenticator, **_rest: Any) -> None:
    record(user, "second_factor.add", user.username, detail=_said(authenticator))


@receiver(signals.authenticator_removed)
def _removed(user: User, authenticator: Authenticator, **rest: Any) -> None:
    if authenticator.type in KINDS:  # who is logged in elsewhere might be who it was set up against
        sessions.drop(user, keep=rest["request"].session.session_key)
    record(user, "second_factor.remove", user.username, detail=_said(authenticator))


@receiver(signals.authenticator_reset)
def _made_anew(user: User, authenticator: Authenticator, **_rest: Any) -> None:
    record(user, "second_factor.renew", user.username, detail={"kind": authenticator.type})


@receiver(signals.authenticator_used)
def _used(user: User, authenticator: Authenticator, **_rest: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:  # each of them is used once: worth an entry
        authenticator.refresh_from_db()
        left = len(authenticator.wrap().get_unused_codes())
        record(user, "second_factor.recover", user.username, detail={"codes_left": left})


@receiver(signals.authentication_failed)
def _refused(user: User, authenticator: Authenticator, **rest: Any) -> None:
    action = "second_factor.confirm" if rest.get("reauthentication") else "login"
    actor = user if rest.get("reauthentication") else None
    record(actor, action, user.username, outcome="refused", detail={"kind": authenticator.type})
