"""The form of a new network."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from hosts.forms.pairs import PairsField
from hosts.models import Host
from hosts.network_plan import NetworkPlan, Pool

POOLS = 4
POOL_FIELDS = ("subnet", "range", "gateway", "aux")


class NetworkForm(forms.Form):
    """Its `plan` is what was entered; pools are pool0_subnet and so on."""

    host = forms.ChoiceField(label=_("Host"))
    name = forms.CharField(label=_("Name"), max_length=255)
    driver = forms.CharField(
        label=_("Driver"),
        max_length=100,
        initial="bridge",
        help_text=_("bridge, macvlan, ipvlan, overlay (in a swarm), or a plugin's"),
    )
    options = PairsField(
        label=_("Options of the driver"),
        help_text=_(
            "name=value, one a line. bridge: com.docker.network.bridge.name, com.docker.network.driver.mtu; "
            "macvlan and ipvlan: parent, macvlan_mode, ipvlan_mode; overlay: encrypted"
        ),
    )
    internal = forms.BooleanField(
        label=_("Internal"), required=False, help_text=_("Its containers do not reach the outside.")
    )
    attachable = forms.BooleanField(
        label=_("Attachable"), required=False, help_text=_("Of a swarm: single containers may join as well.")
    )
    ipv6 = forms.BooleanField(label=_("IPv6"), required=False, help_text=_("With an IPv6 subnet below."))
    config_only = forms.BooleanField(
        label=_("Configuration only"),
        required=False,
        help_text=_("No network itself: others on this host are made from it."),
    )
    config_from = forms.CharField(
        label=_("Made from the configuration"),
        max_length=255,
        required=False,
        help_text=_("The name of a configuration on this host; subnets and options come from it."),
    )
    ipam_driver = forms.CharField(label=_("Driver of addresses"), max_length=100, required=False)
    ipam_options = PairsField(label=_("Options of addresses"), help_text=_("name=value, one a line."))
    labels = PairsField(label=_("Labels"), help_text=_("name=value, one a line."))

    def __init__(self, data: Any, hosts: Iterable[Host], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choice: Any = self.fields["host"]
        choice.choices = [(host.name, host.name) for host in hosts if host.is_live]
        labels = {"subnet": _("Subnet"), "range": _("Given out from"), "gateway": _("Gateway"), "aux": _("Taken")}
        holders = {
            "subnet": "172.30.0.0/16",
            "range": "172.30.5.0/24",
            "gateway": "172.30.0.1",
            "aux": "nas=172.30.0.9",
        }
        for n in range(POOLS):
            for name in POOL_FIELDS:
                widget = forms.TextInput(attrs={"placeholder": holders[name], "spellcheck": "false"})
                self.fields[f"pool{n}_{name}"] = forms.CharField(
                    label=labels[name], max_length=2000, required=False, widget=widget
                )

    @property
    def pools(self) -> list[list[forms.BoundField]]:
        """The fields of each pool."""
        return [[self[f"pool{n}_{name}"] for name in POOL_FIELDS] for n in range(POOLS)]

    @property
    def more_is_used(self) -> bool:
        """Whether anything is in the pools after the first, or wrong there."""
        names = [f"pool{n}_{name}" for n in range(1, POOLS) for name in POOL_FIELDS]
        return any(self[name].value() or self[name].errors for name in names)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        pools = [self._pool(n) for n in range(POOLS)]
        self._places = [n for n, pool in enumerate(pools) if pool]
        if not self.errors:
            names = (
                "name",
                "driver",
                "options",
                "internal",
                "attachable",
                "ipv6",
                "ipam_driver",
                "ipam_options",
                "labels",
                "config_only",
                "config_from",
            )
            self.plan = NetworkPlan(**{name: data[name] for name in names}, pools=tuple(filter(None, pools)))
            try:
                self.plan.check()
            except Invalid as error:
                self.blame(error)
        return data

    def _pool(self, n: int) -> Pool:
        subnet, inner, gateway, aux = (self.cleaned_data.get(f"pool{n}_{name}", "").strip() for name in POOL_FIELDS)
        taken = {}
        for part in filter(None, (part.strip() for part in aux.split(","))):
            name, sign, value = (piece.strip() for piece in part.partition("="))
            if not sign or not name:
                self.add_error(f"pool{n}_aux", _("Write name=address, separated by commas."))
            taken[name] = value
        return Pool(subnet, inner, gateway, taken)

    def blame(self, error: Invalid) -> None:
        """Says it at the field that it names, else above all."""
        name = error.field
        if name.startswith("pools."):
            _pools, number, part = name.split(".")
            name = f"pool{self._places[int(number)]}_{part}"
        self.add_error(name if name in self.fields else None, str(error))
