"""The form of a new volume: of any driver, or a share over NFS or CIFS."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from hosts.forms.pairs import PairsField
from hosts.models import Host
from hosts.volume_plan import VolumePlan, cifs_options, nfs_options

KINDS = [("driver", _("Local, or of another driver")), ("nfs", _("NFS export")), ("cifs", _("Windows share (CIFS)"))]


class VolumeForm(forms.Form):
    """Its `plan` is what was entered."""

    host = forms.ChoiceField(label=_("Host"))
    name = forms.CharField(label=_("Name"), max_length=255)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, initial="driver")
    driver = forms.CharField(label=_("Driver"), max_length=100, initial="local", required=False)
    options = PairsField(label=_("Options of the driver"), help_text=_("name=value, one a line."))
    server = forms.CharField(label=_("Server"), max_length=253, required=False)
    export = forms.CharField(label=_("Exported path"), max_length=1000, required=False)
    share = forms.CharField(label=_("Share"), max_length=1300, required=False, help_text="//nas.example.com/data")
    username = forms.CharField(label=_("User"), max_length=200, required=False)
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Never shown again here. The engine keeps it readable for who may use the engine."),
    )
    mount_options = forms.CharField(
        label=_("Mount options"), max_length=1000, required=False, help_text=_("rw,nfsvers=4 or vers=3.0,uid=1000")
    )
    labels = PairsField(label=_("Labels"), help_text=_("name=value, one a line."))

    def __init__(self, data: Any, hosts: Iterable[Host], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choice: Any = self.fields["host"]
        choice.choices = [(host.name, host.name) for host in hosts if host.is_live]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                driver, options, secret = self._options(data)
                self.plan = VolumePlan(data["name"], driver, options, data["labels"], secret)
                self.plan.check()
            except Invalid as error:
                self.blame(error)
        return data

    def _options(self, data: dict[str, Any]) -> tuple[str, dict[str, str], str]:
        more = data["mount_options"].strip()
        if data["kind"] == "nfs":
            return "local", nfs_options(data["server"], data["export"], more), ""
        if data["kind"] == "cifs":
            options = cifs_options(data["share"], data["username"], data["password"], more)
            return "local", options, data["password"]
        return data["driver"] or "local", data["options"], ""

    def blame(self, error: Invalid) -> None:
        """Says it at the field that it names, else above all."""
        self.add_error(error.field if error.field in self.fields else None, str(error))
