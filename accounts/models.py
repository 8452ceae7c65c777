"""Accounts, API tokens, and the audit: who did what, when, to what, with what outcome."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.rights import Role


class User(AbstractUser):
    """A person. The role says what they may do."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)

    def __str__(self) -> str:
        return self.username


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


class AuditEntry(models.Model):
    """One act. Rows are only ever added, by accounts.audit; the names stay when a user or host is deleted."""

    number = models.BigIntegerField(unique=True, null=True, editable=False)  # place in the chain, from 1
    time = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    host = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=20, default="done")
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=64, blank=True)  # where the request came from
    via = models.CharField(max_length=150, blank=True)  # what acted for the actor: a job, a schedule, a token
    digest = models.CharField(max_length=64, blank=True, editable=False)  # accounts.chain

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.time:%F %T} {self.actor_name} {self.action} {self.host}/{self.target}: {self.outcome}"


class AuditChain(models.Model):
    """Both ends of the audit: one row. What is older than `kept_after` was forgotten when its time was over."""

    number = models.BigIntegerField(default=0)  # of the newest entry
    digest = models.CharField(max_length=64, blank=True)
    kept_after = models.BigIntegerField(default=0)  # the number of the newest entry that was forgotten
    kept_after_digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def now(cls) -> "AuditChain":
        """As it is; an empty one before the first entry."""
        return cls.objects.first() or cls()


class SavedView(models.Model):
    """A list as somebody likes it: its filters, search, order and groups under a name. Nobody else sees it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=60)  # the list's name in the URLs
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="view_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """Where it is shown."""
        return f"{reverse(self.page)}?{self.query}"
