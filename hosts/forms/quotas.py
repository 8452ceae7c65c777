"""The form of a quota."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Quota
from accounts.models.quotas import BOUNDS, DEFAULTS
from common.errors import Invalid
from common.forms import RefusedForm
from hosts.specs.kinds import read_bytes, read_decimal, read_whole, show_bytes

LABELS = {field.name: field.verbose_name for field in Quota._meta.fields}
BYTES = {"memory", "volume_bytes", "default_memory"}
CPUS = {"cpus", "default_cpus"}
EXAMPLES = {
    "containers": "20",
    "cpus": "4",
    "memory": "8g",
    "pids": "2000",
    "volumes": "10",
    "volume_bytes": "50g",
    "ports": "10",
    "pulls": "100",
    "jobs": "3",
    "default_cpus": "0.5",
    "default_memory": "256m",
    "default_pids": "200",
}
HELP = {
    "volume_bytes": _("as far as it is measured: no new volumes when they hold more"),
    "pulls": _("in 24 hours"),
    "jobs": _("more wait in the queue"),
}


class QuotaForm(RefusedForm):
    """A line for each bound and default; an empty one is none."""

    def __init__(self, data: Any = None, *, quota: Quota) -> None:
        super().__init__(data)
        for name in (*BOUNDS, *DEFAULTS):
            value = getattr(quota, name)
            self.fields[name] = forms.CharField(
                label=capfirst(LABELS[name]),
                help_text=HELP.get(name, ""),
                required=False,
                max_length=30,
                initial=""
                if value is None
                else show_bytes(value)
                if name in BYTES
                else f"{value:.9f}".rstrip("0").rstrip(".")
                if name in CPUS
                else str(value),
                widget=forms.TextInput(
                    attrs={"placeholder": EXAMPLES[name], "autocomplete": "off", "spellcheck": "false", "class": "mono"}
                ),
            )

    @property
    def bounds(self) -> list[Any]:
        """Their fields."""
        return [self[name] for name in BOUNDS]

    @property
    def defaults(self) -> list[Any]:
        """The fields of what containers get that say no limits."""
        return [self[name] for name in DEFAULTS]

    def clean(self) -> dict[str, Any]:
        """Texts become numbers."""
        found: dict[str, Any] = {}
        for name, text in list(self.cleaned_data.items()):
            read = read_bytes if name in BYTES else read_decimal if name in CPUS else read_whole
            try:
                found[name] = read(str(self.fields[name].label), text) if text.strip() else None
            except Invalid as error:
                self.add_error(name, str(error))
        return found
