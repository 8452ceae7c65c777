"""Accounts."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right, Role


class User(AbstractUser):
    """A person. The role says what they may do."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)
    is_service = models.BooleanField(_("service account"), default=False)  # no password: it only has API tokens
    lacks_second_factor = False  # its role needs one (accounts.second_factor.with_duty): then it may nothing
    token: Any = None  # the API token that the user came with
    narrowed: frozenset[Right] | None = (
        None  # what the token that the user came with is for; None: all that the role may
    )

    def __str__(self) -> str:
        return self.username
