"""Policies: what may be asked of an engine, for one host, for all with a label, or for all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hosts.policy.rules import Rules

if TYPE_CHECKING:
    from hosts.models.hosts import Host

BUILT_IN = Rules()


class Policy(models.Model):
    """Rules for a host, for all hosts with a label, or, with neither, for all hosts."""

    host: "models.OneToOneField[Host | None, Host | None]" = models.OneToOneField(
        "hosts.Host", null=True, on_delete=models.CASCADE, related_name="policy"
    )
    label = models.CharField(_("label"), max_length=200, blank=True)  # NAME=VALUE, or NAME with any value
    about = models.CharField(_("about"), max_length=200, blank=True)
    rules = models.JSONField(default=dict)  # hosts.policy.rules.Rules; what is left out is strict
    changed = models.DateTimeField(auto_now=True)
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "policies"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(host__isnull=True) | Q(label=""), name="policy_in_one_place"),
            models.UniqueConstraint(fields=["label"], condition=~Q(label=""), name="policy_of_a_label_once"),
            models.UniqueConstraint(
                fields=["label"], condition=Q(label="", host__isnull=True), name="policy_of_all_once"
            ),
        ]

    def __str__(self) -> str:
        return self.place

    @property
    def place(self) -> str:
        """all, label:NAME=VALUE, or host:NAME."""
        return f"host:{self.host.name}" if self.host else f"label:{self.label}" if self.label else "all"

    @property
    def parsed(self) -> Rules:
        """Its rules."""
        return Rules.of(self.rules)

    def holds_for(self, host: "Host") -> bool:
        """Whether it is about this host."""
        if self.host_id is not None:
            return self.host_id == host.pk
        name, equals, value = self.label.partition("=")
        labels = host.labels if isinstance(host.labels, dict) else {}
        return not name or (name in labels and (not equals or str(labels[name]) == value))


@dataclass(frozen=True)
class InForce:
    """What counts on a host: all of these policies together; none of them: what is built in."""

    policies: tuple[Policy, ...]

    @property
    def rules(self) -> list[Rules]:
        """Each has to allow what is asked for."""
        return [policy.parsed for policy in self.policies] or [BUILT_IN]

    @property
    def places(self) -> list[str]:
        """Where they are from: all, label:NAME=VALUE, host:NAME, or built-in."""
        return [policy.place for policy in self.policies] or ["built-in"]


def in_force(host: "Host", policies: Iterable[Policy] | None = None) -> InForce:
    """The host's own policy; else those of its labels together; else the one for all hosts. `policies`: all that there
    are, where they have been read already."""
    known = Policy.objects.select_related("host") if policies is None else policies
    found = [policy for policy in known if policy.holds_for(host)]
    for chosen in (
        [policy for policy in found if policy.host_id is not None],
        [policy for policy in found if policy.label],
        found,
    ):
        if chosen:
            return InForce(tuple(chosen))
    return InForce(())
