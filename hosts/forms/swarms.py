"""Forms of swarms: make one, join one, settings, the unlock key; labels of nodes, secrets and configs."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from hosts.forms.pairs import PairsField
from hosts.models import Host, Swarm
from hosts.swarm_plan import HOUR, SECOND, InitPlan, NodePlan, SettingsPlan

ROLE_CHOICES = [("worker", _("worker")), ("manager", _("manager"))]
AVAILABILITY_CHOICES = [("active", _("active")), ("pause", _("pause")), ("drain", _("drain"))]
PASTED = ""


class Blaming(forms.Form):
    """A form that says what an act refuses at the field which that names."""

    def blame(self, error: Invalid) -> None:
        """Says it at the field that it names, else above all."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class NodeForm(Blaming):
    """How a host takes part in a swarm."""

    host = forms.ChoiceField(label=_("Host"))
    advertise = forms.CharField(
        label=_("Address for the others"),
        max_length=100,
        required=False,
        help_text=_("Where the other nodes reach it: 10.0.0.5 or eth0. A host with several addresses must say which."),
    )
    listen = forms.CharField(label=_("Listens on"), max_length=100, required=False, help_text="0.0.0.0:2377")
    data_path = forms.CharField(
        label=_("Address for containers' traffic"),
        max_length=100,
        required=False,
        help_text=_("Where that goes over another network than the managers' own words."),
    )
    availability = forms.ChoiceField(label=_("Availability"), choices=AVAILABILITY_CHOICES, required=False)

    def __init__(self, data: Any, hosts: Iterable[Host], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choice: Any = self.fields["host"]
        choice.choices = [(host.name, host.name) for host in hosts]

    @property
    def node(self) -> NodePlan:
        """What was entered."""
        data = self.cleaned_data
        availability = data["availability"] or "active"
        return NodePlan(data["advertise"], data["listen"], data["data_path"], availability)


class InitForm(NodeForm):
    """A new swarm."""

    data_path_port = forms.IntegerField(
        label=_("Port of containers' traffic"), required=False, help_text=_("4789 unless told otherwise.")
    )
    pools = forms.CharField(
        label=_("Address pools"),
        max_length=2000,
        required=False,
        help_text=_("Of which overlay networks get their subnets: 10.20.0.0/16, several separated by commas."),
    )
    subnet_size = forms.IntegerField(
        label=_("Size of a subnet"), initial=24, required=False, help_text=_("24 is a /24.")
    )
    autolock = forms.BooleanField(
        label=_("Autolock"),
        required=False,
        help_text=_("A manager that is started again wants the unlock key first. Keep the key elsewhere."),
    )
    force_new_cluster = forms.BooleanField(
        label=_("Force a new cluster"),
        required=False,
        help_text=_(
            "Only when most managers are lost for good: this one becomes the single manager, and keeps services and "
            "workers."
        ),
    )

    @property
    def plan(self) -> InitPlan:
        """What was entered."""
        data = self.cleaned_data
        pools = tuple(pool.strip() for pool in data["pools"].split(",") if pool.strip())
        return InitPlan(
            self.node,
            data["data_path_port"] or 0,
            pools,
            data["subnet_size"] or 24,
            data["autolock"],
            data["force_new_cluster"],
        )


class JoinForm(NodeForm):
    """A host that joins: a swarm known here, or by a token that is pasted."""

    swarm = forms.ChoiceField(label=_("Swarm"), required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, initial="worker", required=False)
    token = forms.CharField(
        label=_("Join token"),
        max_length=300,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("What docker swarm join-token prints on a manager. It says the role too."),
    )
    remotes = forms.CharField(
        label=_("Addresses of managers"), max_length=2000, required=False, help_text="10.0.0.5:2377, 10.0.0.6:2377"
    )

    def __init__(self, data: Any, hosts: Iterable[Host], swarms: Iterable[Swarm], **kwargs: Any) -> None:
        super().__init__(data, hosts, **kwargs)
        choice: Any = self.fields["swarm"]
        choice.choices = [*((swarm.name, swarm.name) for swarm in swarms), (PASTED, _("another one, by its token"))]

    @property
    def places(self) -> list[str]:
        """The addresses that were entered."""
        return [one.strip() for one in self.cleaned_data["remotes"].replace("\n", ",").split(",") if one.strip()]


class SettingsForm(Blaming):
    """Settings of a swarm; `version` is the one that was looked at."""

    name = forms.CharField(
        label=_("Name"), max_length=63, help_text=_("Here only: engines call every swarm “default”.")
    )
    task_history = forms.IntegerField(
        label=_("Ended tasks kept"), help_text=_("Of each slot; logs of those that are gone cannot be read.")
    )
    autolock = forms.BooleanField(
        label=_("Autolock"),
        required=False,
        help_text=_("A manager that is started again wants the unlock key first. Keep the key elsewhere."),
    )
    cert_hours = forms.FloatField(label=_("Certificates hold, hours"), help_text=_("2160 are 90 days."))
    heartbeat_seconds = forms.FloatField(
        label=_("Heartbeat, seconds"), help_text=_("After three missed ones a node counts as down.")
    )
    snapshot_interval = forms.IntegerField(label=_("Snapshot after so many log entries"))
    keep_snapshots = forms.IntegerField(label=_("Old snapshots kept"))
    log_entries = forms.IntegerField(
        label=_("Log entries kept after a snapshot"), help_text=_("For managers that lag behind.")
    )
    labels = PairsField(label=_("Labels"), help_text=_("name=value, one a line."))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, swarm: Swarm) -> None:
        told = swarm.data
        initial = {
            **{name: told.get(name) for name in ("task_history", "snapshot_interval", "keep_snapshots", "log_entries")},
            "name": swarm.name,
            "autolock": swarm.autolock,
            "cert_hours": _number(told.get("cert_expiry", 0) / HOUR),
            "heartbeat_seconds": _number(told.get("heartbeat_period", 0) / SECOND),
            "labels": pairs(swarm.labels),
            "version": swarm.version,
        }
        super().__init__(data, initial=initial)

    @property
    def plan(self) -> SettingsPlan:
        """What was entered."""
        fields = {name: self.cleaned_data[name] for name in SettingsPlan.__dataclass_fields__}
        return SettingsPlan(**fields)

    @property
    def is_changed(self) -> bool:
        """Whether anything but our own name of it differs from what it was."""
        return bool(set(self.changed_data) - {"name", "version"})


class UnlockForm(Blaming):
    """The key that unlocks a manager."""

    key = forms.CharField(
        label=_("Unlock key"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("It begins with SWMKEY-1-. Another manager that is not locked can show it."),
    )


class LabelsForm(Blaming):
    """Labels of an object of a swarm; `version` is the one that was looked at."""

    labels = PairsField(label=_("Labels"), help_text=_("name=value, one a line."))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, row: Any) -> None:
        super().__init__(data, initial={"labels": pairs(row.labels), "version": row.version})


def _number(value: float) -> float:
    """A whole one without its .0."""
    return int(value) if value == int(value) else round(value, 3)


def pairs(values: dict[str, str]) -> str:
    """As a person types them."""
    return "\n".join(f"{name}={value}" for name, value in values.items())
