"""API tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.utils import timezone

from accounts.models.users import User


class ApiToken(models.Model):
    """Lets a program act as its user, within limits. Only a hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.JSONField(null=True)  # rights by name; None: all that the user may
    hosts = models.JSONField(null=True)  # by name; None: all
    teams = models.JSONField(null=True)  # by name: only what they own; None: everything
    networks = models.JSONField(default=list)  # like 10.0.0.0/8, from where it may be used; none: from anywhere
    expires = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True)
    last_address = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_token_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= timezone.now()

    @property
    def is_limited(self) -> bool:
        """Whether it may less than its user, or not for ever, or not from everywhere."""
        limits = (self.scope, self.hosts, self.teams, self.expires)
        return any(limit is not None for limit in limits) or bool(self.networks)

    @staticmethod
    def hash(token: str) -> str:
        """Tokens are random and long: a plain SHA-256 cannot be guessed back."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def make(
        cls,
        user: User,
        name: str,
        *,
        scope: Iterable[str] | None = None,
        hosts: Iterable[str] | None = None,
        teams: Iterable[str] | None = None,
        networks: Iterable[str] = (),
        expires: datetime | None = None,
    ) -> str:
        """Stores a new token of `user` and returns it: the only time that it can be seen. accounts.tokens checks it."""
        token = f"dmg_{secrets.token_urlsafe(32)}"
        named = {"scope": scope, "hosts": hosts, "teams": teams}
        limits = {what: None if names is None else sorted(names) for what, names in named.items()}
        row = {"user": user, "name": name, "digest": cls.hash(token), **limits}
        cls.objects.create(**row, networks=list(networks), expires=expires)
        return token
