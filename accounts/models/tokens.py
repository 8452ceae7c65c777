"""API tokens."""

import hashlib
import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

from accounts.models.users import User


class ApiToken(models.Model):
    """Lets a program act as its user. Only a hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_token_a_name")]

    @staticmethod
    def hash(token: str) -> str:
        """Tokens are random and long: a plain SHA-256 cannot be guessed back."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def make(cls, user: User, name: str) -> str:
        """Stores a new token of `user` and returns it: the only time that it can be seen."""
        token = f"dmg_{secrets.token_urlsafe(32)}"
        cls.objects.create(user=user, name=name, digest=cls.hash(token))
        return token

    @classmethod
    def user_of(cls, token: str) -> User | None:
        """The active user of a token, or None; remembers, to the minute, when it was used last."""
        found = cls.objects.select_related("user").filter(digest=cls.hash(token), user__is_active=True).first()
        if found is None:
            return None
        now = timezone.now()
        if found.last_used is None or now - found.last_used > timedelta(minutes=1):
            cls.objects.filter(pk=found.pk).update(last_used=now)
        return found.user
