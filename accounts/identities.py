"""Who at an OpenID provider or in a directory is which account here: linked by the account's owner, by who manages users, or
because the account was made for them. An equal name or address links nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts import directory, mapping, oidc, people
from accounts.audit import record
from accounts.models import User
from accounts.not_let_in import NotLetIn
from accounts.rights import Right, System, allows
from common.errors import Conflict, Denied, Invalid, NotFound

STRANGER = gettext_noop(
    "%(name)s knows you, but you have no account here. Ask an administrator, or log in another way and link it at Second factor."
)
NAME_TAKEN = gettext_noop(
    "There is an account called %(user)s already. If it is yours, log in to it another way and link it at Second factor."
)


@dataclass(frozen=True)
class Source:
    """Where people come from: `name` of the memberships that it gives, `provider` in the table of who is linked, `label`
    for people, `new_accounts` mapped, anybody or nobody."""

    name: str
    provider: str
    label: str
    teams: mapping.Teams
    new_accounts: str


def openid() -> Source:
    """The OpenID provider."""
    return Source("oidc", oidc.provider_id(), settings.OIDC_NAME, settings.OIDC_TEAMS, settings.OIDC_NEW_ACCOUNTS)


def of_directory() -> Source:
    """The directory."""
    label = settings.LDAP_NAME
    return Source("ldap", directory.directory_id(), label, settings.LDAP_TEAMS, settings.LDAP_NEW_ACCOUNTS)


def of(user: User) -> SocialAccount | None:
    """Whom the OpenID provider knows the account as."""
    return _linked(user, oidc.provider_id()) if settings.OIDC_ISSUER else None


def in_directory(user: User) -> SocialAccount | None:
    """Whom the directory knows the account as."""
    return _linked(user, directory.directory_id()) if settings.LDAP_URL else None


def _linked(user: User, provider: str) -> SocialAccount | None:
    return SocialAccount.objects.filter(user=user, provider=provider).first()


# ---------------------------------------------------------------- a login
def enter(claims: Mapping[str, Any]) -> User:
    """The account of who comes from the OpenID provider, in the teams of their groups. Raises NotLetIn."""
    subject = oidc.subject_of(claims["sub"])
    name, email = (
        word if isinstance(word := claims.get(claim), str) else "" for claim in ("preferred_username", "email")
    )
    groups = mapping.groups_in(claims, settings.OIDC_GROUPS_CLAIM)
    return _entered(openid(), subject, name or email or subject, email, groups)


def enter_from_directory(person: directory.Person) -> User:
    """The same of somebody whom the directory has let in."""
    return _entered(of_directory(), oidc.subject_of(person.key), person.name, person.email, set(person.groups))


@transaction.atomic
def _entered(source: Source, subject: str, name: str, email: str, groups: set[str]) -> User:
    wanted = mapping.teams_of(groups, source.teams)
    there = SocialAccount.objects.select_related("user").filter(provider=source.provider, uid=subject).first()
    user = there.user if there else _made(source, subject, name, email, bool(wanted))
    if user.is_active and not user.is_service:
        mapping.apply(user, source.name, wanted)
    return user


def _made(source: Source, subject: str, name: str, email: str, is_mapped: bool) -> User:
    if source.new_accounts == "nobody" or (source.new_accounts == "mapped" and not is_mapped):
        raise NotLetIn(STRANGER, "no account", source.label)
    name = re.sub(r"[^\w.@+-]+", "-", name)[:150]
    try:
        user = people.add_from(source.name, name, _address(email))
    except Invalid as error:
        raise NotLetIn(NAME_TAKEN, "the name is taken", source.label, user=name) from error
    _link(source.provider, user, subject)
    return user


def _address(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= 254 else ""


# ---------------------------------------------------------------- links
def link(actor: User | System, user: User, subject: str) -> None:
    """From now on `subject` at the provider logs in as `user`. Raises Denied, Invalid, Conflict."""
    _demand(actor, user, "login.link")
    subject = oidc.subject_of(subject.strip())
    if not settings.OIDC_ISSUER or user.is_service:
        raise Conflict(gettext_noop("%(name)s cannot log in by a provider."), {"name": user.username})
    if not subject or not subject.isprintable():
        raise Invalid("subject", gettext_noop("Write who they are at the provider: the claim sub of their tokens."))
    if of(user):
        raise Conflict(gettext_noop("%(name)s is linked already. Take that link away first."), {"name": user.username})
    with transaction.atomic():
        _link(oidc.provider_id(), user, subject)
        record(actor, "login.link", user.username, detail={"subject": subject})


def _link(provider: str, user: User, subject: str) -> None:
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=user, provider=provider, uid=subject)
    except IntegrityError as error:
        raise Conflict(gettext_noop("Somebody else's account is linked to this already.")) from error


def unlink(actor: User | System, user: User) -> None:
    """The provider logs in as `user` no more; what its groups gave is taken away. Raises Denied, NotFound, Conflict."""
    _demand(actor, user, "login.unlink")
    there = of(user)
    if there is None:
        raise NotFound
    if getattr(actor, "pk", None) == user.pk and not user.has_usable_password():
        raise Conflict(gettext_noop("You have no password: without this link you could not log in again."))
    with transaction.atomic():
        there.delete()
        mapping.apply(user, openid().name, {})
        record(actor, "login.unlink", user.username, detail={"subject": there.uid})


def _demand(actor: User | System, user: User, action: str) -> None:
    own = isinstance(actor, User) and actor.pk == user.pk and actor.narrowed is None
    if not own and not allows(actor, Right.USERS_MANAGE):
        record(actor, action, user.username, outcome="refused")
        raise Denied
