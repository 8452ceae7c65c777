"""Where the audit is sent to, and how far it got there."""

from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models.audit import AuditChain
from common.secrets import EncryptedTextField


class ForwardKind(models.TextChoices):
    """How it is spoken to."""

    UDP = "udp", gettext_lazy("Syslog over UDP")
    TCP = "tcp", gettext_lazy("Syslog over TCP")
    TLS = "tls", gettext_lazy("Syslog over TLS")
    WEBHOOK = "webhook", gettext_lazy("Webhook")


def place_of(kind: str, address: str) -> str:
    """A target's address for people: a webhook's path and query may be what lets in whoever knows them."""
    return f"https://{urlsplit(address).netloc}/…" if kind == ForwardKind.WEBHOOK else address


class Forward(models.Model):
    """A target. Who sends writes everything from `sent` on; people write the rest."""

    name = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=10, choices=ForwardKind.choices)
    address = models.CharField(max_length=500)  # host:port, or https://host[:port]/path of a webhook
    ca = models.TextField(blank=True)  # PEM, trusted besides the system's CAs
    secret = EncryptedTextField(blank=True)  # with which what goes to a webhook is signed; it is sent nowhere
    # who stored the address manages all hosts, and so may let Dermaga go into private networks
    inside = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    added = models.DateTimeField(auto_now_add=True)

    sent = models.BigIntegerField(default=0)  # the number of the newest entry that it has
    sent_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # one after the other, since it last took something
    retry_at = models.DateTimeField(null=True)
    error_template = models.TextField(blank=True)
    error_params = models.JSONField(default=dict)
    error_detail = models.CharField(max_length=500, blank=True)
    lease = models.CharField(max_length=64, blank=True)  # who sends to it now
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """Its address without what may be a secret."""
        return place_of(self.kind, self.address)

    @property
    def behind(self) -> int:
        """How many entries it has not got yet, of those that are kept."""
        chain = AuditChain.now()
        return max(0, chain.number - max(self.sent, chain.kept_after))

    @property
    def error(self) -> str:
        """What was wrong when it was last tried, in the reader's language; "" when it took what it was sent."""
        try:
            return _(self.error_template) % self.error_params if self.error_template else ""
        except (KeyError, TypeError, ValueError):
            return self.error_template

    @classmethod
    def oldest_sent(cls) -> int | None:
        """Up to which entry all that are enabled have everything; None without any."""
        found: Any = cls.objects.filter(enabled=True).aggregate(Min("sent"))["sent__min"]
        return found if found is None else int(found)
