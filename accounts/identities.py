"""Who at the OpenID provider is which account here: linked by the account's owner, by who manages users, or because the
account was made for them. An equal name or address links nobody."""

import re
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts import mapping, oidc, people
from accounts.audit import record
from accounts.models import User
from accounts.rights import Right, System, allows
from common.errors import Conflict, Denied, Invalid, NotFound

SOURCE = "oidc"
STRANGER = gettext_noop(
    "%(name)s knows you, but you have no account here. Ask an administrator, or log in another way and link it at Second factor."
)
NAME_TAKEN = gettext_noop(
    "There is an account called %(user)s already. If it is yours, log in to it another way and link it at Second factor."
)


def of(user: User) -> SocialAccount | None:
    """Whom the provider knows the account as."""
    return (
        SocialAccount.objects.filter(user=user, provider=oidc.provider_id()).first() if settings.OIDC_ISSUER else None
    )


# ---------------------------------------------------------------- a login
@transaction.atomic
def enter(claims: Mapping[str, Any]) -> User:
    """The account of who comes from the provider, in the teams of their groups. Raises ProviderError."""
    subject = oidc.subject_of(claims["sub"])
    wanted = mapping.teams_of(mapping.groups_in(claims, settings.OIDC_GROUPS_CLAIM), settings.OIDC_TEAMS)
    there = SocialAccount.objects.select_related("user").filter(provider=oidc.provider_id(), uid=subject).first()
    user = there.user if there else _made(claims, subject, bool(wanted))
    if user.is_active and not user.is_service:
        mapping.apply(user, SOURCE, wanted)
    return user


def _made(claims: Mapping[str, Any], subject: str, is_mapped: bool) -> User:
    if settings.OIDC_NEW_ACCOUNTS == "nobody" or (settings.OIDC_NEW_ACCOUNTS == "mapped" and not is_mapped):
        raise oidc.ProviderError(STRANGER, "no account")
    told = claims.get("preferred_username") or claims.get("email") or subject
    name = re.sub(r"[^\w.@+-]+", "-", str(told))[:150]
    try:
        user = people.add_from(SOURCE, name, _address(claims))
    except Invalid as error:
        raise oidc.ProviderError(NAME_TAKEN, "the name is taken", user=name) from error
    _link(user, subject)
    return user


def _address(claims: Mapping[str, Any]) -> str:
    email = str(claims.get("email") or "")
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
        _link(user, subject)
        record(actor, "login.link", user.username, detail={"subject": subject})


def _link(user: User, subject: str) -> None:
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=user, provider=oidc.provider_id(), uid=subject)
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
        mapping.apply(user, SOURCE, {})
        record(actor, "login.unlink", user.username, detail={"subject": there.uid})


def _demand(actor: User | System, user: User, action: str) -> None:
    own = isinstance(actor, User) and actor.pk == user.pk and actor.narrowed is None
    if not own and not allows(actor, Right.USERS_MANAGE):
        record(actor, action, user.username, outcome="refused")
        raise Denied
