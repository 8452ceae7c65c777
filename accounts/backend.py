"""Whom a session belongs to, for pages, the API and sockets alike."""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import directory, identities, second_factor
from accounts.models import User
from common.errors import DermagaError

log = structlog.get_logger("dermaga.accounts")


class Backend(ModelBackend):
    """Django's, which also learns whether the user's role needs a second factor that is not set up yet: one query; and asks
    the directory of names and passwords that are not ours."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        """Raises ValidationError with a sentence when the directory is away, or lets in who has no account here."""
        user: User | None = super().authenticate(request, username=username, password=password, **more)
        if user is None and settings.LDAP_URL and username and password:
            try:
                return _by_directory(username, password)
            except DermagaError as error:
                log.warning("nobody let in by the directory", why=getattr(error, "why", ""))
                raise ValidationError(str(error)) from error
        return user

    def get_user(self, user_id: Any) -> User | None:
        user = second_factor.with_duty([user_id]).get(user_id)
        return user if user is not None and user.is_active else None


def _by_directory(name: str, password: str) -> User | None:
    there = User.objects.filter(username=name).first()
    if there is not None and identities.in_directory(there) is None:
        directory.demand_there()  # so that a wrong password here is answered as one there is, also when it is away
        return None
    person = directory.find(name, password)
    user = identities.enter_from_directory(person) if person else None
    return user if user is not None and user.is_active else None
