"""Links that open a door once."""

import hashlib

from django.db import models

from accounts.models.users import User


class LinkKind(models.TextChoices):
    """What a link is for."""

    INVITATION = "invitation"  # to make oneself an account
    PASSWORD = "password"  # to choose a new one


class OneTimeLink(models.Model):
    """Whoever has it uses it, once, until it expires. Only a hash is kept."""

    kind = models.CharField(max_length=20, choices=LinkKind.choices)
    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")  # whose password
    role = models.CharField(max_length=20, blank=True)  # of who is invited
    by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")  # None: a command, or a mail
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @staticmethod
    def hash(secret: str) -> str:
        """Secrets are random and long: a plain SHA-256 cannot be guessed back."""
        return hashlib.sha256(secret.encode()).hexdigest()
