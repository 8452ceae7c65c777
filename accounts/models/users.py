"""Accounts."""

from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.rights import RIGHTS_OF, Limits, Role, Standing


class User(AbstractUser):
    """A person. The role says what they may do on all hosts; teams and grants (accounts.models.teams) add to it."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)
    is_service = models.BooleanField(_("service account"), default=False)  # no password: it only has API tokens
    lacks_second_factor = False  # its role needs one (accounts.second_factor.with_duty): then it may nothing
    token: Any = None  # the API token that the user came with
    looker: Any = None  # the administrator who looks through their eyes (accounts.eyes)
    narrowed: Limits | None = None  # what the token that the user came with is for; None: all that the user may

    @cached_property
    def standing(self) -> Standing:
        """All that they may do, by role and grants, as it was when it was first asked for."""
        from accounts.models.teams import load_standings

        if self.role == Role.ADMIN or self.pk is None:  # nothing is granted to who is not stored
            return Standing(RIGHTS_OF.get(self.role, frozenset()))
        load_standings([self])
        return self.__dict__["standing"]

    @cached_property
    def narrowed_standing(self) -> Standing:
        """What of it the token lets them do that they came with."""
        return self.standing if self.narrowed is None else self.standing.narrowed(self.narrowed)

    def __str__(self) -> str:
        return self.username
