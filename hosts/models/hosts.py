"""A host: one engine, how to reach it, and what is known of it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.rights import Reach, Right
from common.secrets import EncryptedTextField
from hosts.engine.endpoint import Endpoint, SSHMaterial, TLSMaterial
from hosts.models.base import VisibleQuerySet


class HostState(models.TextChoices):
    """What the watcher knows of a host's engine."""

    CONNECTING = "connecting", gettext_lazy("connecting")
    ONLINE = "online", gettext_lazy("online")
    SLOW = "slow", gettext_lazy("slow")
    UNREACHABLE = "unreachable", gettext_lazy("unreachable")
    WRONG_CERTIFICATE = "wrong_certificate", gettext_lazy("wrong certificate")
    REFUSED = "refused", pgettext_lazy("host state", "refused")
    DISABLED = "disabled", gettext_lazy("disabled")


LIVE_STATES = (HostState.ONLINE, HostState.SLOW)
COMMON_VERSION = "1.41"  # of the API: that of Docker 20.10 and of Podman, which most engines since then speak too


class Host(models.Model):
    """One engine. The watcher writes everything from `state` on; people write the rest."""

    view_right = Right.HOSTS_VIEW
    hides_sums = False  # from a reader who does not see all that is on it

    name = models.SlugField(max_length=63, unique=True)
    url = models.CharField(max_length=500)
    kind = models.CharField(max_length=10)
    labels = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    tls_ca = models.TextField(blank=True)
    tls_cert = models.TextField(blank=True)
    tls_key = EncryptedTextField(blank=True)
    ssh_key = EncryptedTextField(blank=True)
    ssh_known_hosts = models.TextField(blank=True)
    added = models.DateTimeField(auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)  # counts changes of the connection: the watcher starts again

    state = models.CharField(max_length=20, choices=HostState.choices, default=HostState.CONNECTING)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_template = models.TextField(blank=True)
    reason_params = models.JSONField(default=dict)
    since = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(null=True)
    engine = models.CharField(max_length=20, blank=True)
    engine_version = models.CharField(max_length=100, blank=True)
    api_version = models.CharField(max_length=20, blank=True)
    os = models.CharField(max_length=255, blank=True)
    arch = models.CharField(max_length=50, blank=True)
    kernel = models.CharField(max_length=255, blank=True)
    cpus = models.PositiveIntegerField(null=True)
    memory = models.BigIntegerField(null=True)
    storage_driver = models.CharField(max_length=100, blank=True)
    warnings = models.JSONField(default=list)
    info = models.JSONField(default=dict)
    disk = models.JSONField(null=True)  # see hosts.inventory.apply.apply_disk
    cpu_percent = models.FloatField(null=True)  # of all its CPUs: 0 to 100
    memory_used = models.BigIntegerField(null=True)
    sampled = models.DateTimeField(null=True)
    sample_seconds = models.FloatField(default=30)  # between two rounds of samples
    rolled_up = models.BigIntegerField(default=0)  # Unix time before which all samples are in the tiers
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those of these names."""
        return reach.within("name")

    @property
    def places(self) -> list[str]:
        """As of what is on it (hosts.models.base.OnHost)."""
        return [self.name]

    def endpoint(self) -> Endpoint:
        """How to reach the engine, with its keys."""
        tls = TLSMaterial(self.tls_ca, self.tls_cert, self.tls_key) if self.kind == "tls" else None
        ssh = SSHMaterial(self.ssh_key, self.ssh_known_hosts) if self.kind == "ssh" else None
        return Endpoint(self.url, tls, ssh)

    @property
    def spoken_version(self) -> str:
        """Of the API, for requests that do not ask for it first: the engine's own, once the watcher has met it."""
        return self.api_version or COMMON_VERSION

    @property
    def told_disk(self) -> Any:
        """Its disk use, for the reader."""
        return None if self.hides_sums else self.disk

    @property
    def disk_at(self) -> datetime | None:
        """When its disk use was measured."""
        at = (self.told_disk or {}).get("at")
        return datetime.fromisoformat(at) if at else None

    @property
    def disk_failed(self) -> str:
        """Why the last look at its disk told nothing, in the reader's language; "" when it did."""
        failed = (self.told_disk or {}).get("failed")
        return _(failed["template"]) % failed["params"] if failed else ""

    @property
    def is_live(self) -> bool:
        """Whether its rows are kept true right now."""
        return self.enabled and self.state in LIVE_STATES

    @property
    def is_held(self) -> bool:
        """Whether a watch process holds its lease."""
        return bool(self.lease_owner) and self.lease_until is not None and self.lease_until > timezone.now()

    @property
    def reason(self) -> str:
        """Why it is in this state, in the reader's language; "" when there is nothing to say."""
        if not self.reason_template:
            return ""
        try:
            return _(self.reason_template) % self.reason_params
        except (KeyError, TypeError, ValueError):
            return self.reason_template

    @property
    def is_sampled(self) -> bool:
        """Whether its CPU and memory figures are of now."""
        return not self.hides_sums and self.sampled is not None and self.is_of_now(self.sampled)

    def is_of_now(self, sampled: datetime) -> bool:
        """Whether a sample of that time may be shown as the present: not when more than two rounds were missed."""
        return timezone.now() - sampled < timedelta(seconds=30 + 3 * self.sample_seconds)

    @property
    def memory_percent(self) -> float | None:
        """Used memory of the containers as a share of the host's memory."""
        if self.hides_sums or self.memory_used is None or not self.memory:
            return None
        return 100 * self.memory_used / self.memory
