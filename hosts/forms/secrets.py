"""The form of a new secret or config: its value as text or as a file."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hosts.forms.pairs import PairsField
from hosts.forms.swarms import Blaming
from hosts.models import Swarm

TEMPLATING_CHOICES = [("", _("none")), ("golang", _("golang: {{ .Node.Hostname }} and the like are filled in"))]


class ValueForm(Blaming):
    """A value. What is typed of a secret does not come back into the page when something else is wrong."""

    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=600_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(label=_("Or a file"), required=False, help_text=_("500 KB at most; taken as it is."))

    def __init__(self, data: Any, files: Any, noun: str, **kwargs: Any) -> None:
        super().__init__(data, files, **kwargs)
        if noun == "secret":
            self.fields["value"].help_text = _("Never shown again: only services that use it find it, as a file.")
            self.fields["value"].widget = Unsaid(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"})

    @property
    def content(self) -> bytes:
        """The value: the file's if there is one. Browsers send lines with CR LF; what was typed has LF."""
        sent = self.cleaned_data.get("file")
        if sent is not None:
            return bytes(sent.read(BYTES_READ))
        return str(self.cleaned_data["value"]).replace("\r\n", "\n").encode()


class NewForm(ValueForm):
    """A new secret or config."""

    swarm = forms.ChoiceField(label=_("Swarm"))
    name = forms.CharField(label=_("Name"), max_length=64)
    templating = forms.ChoiceField(label=_("Templating"), choices=TEMPLATING_CHOICES, required=False)
    driver = forms.CharField(
        label=_("Driver"),
        max_length=100,
        required=False,
        help_text=_("A plugin that gives the value each time it is asked. Then leave the value empty."),
    )
    labels = PairsField(label=_("Labels"), help_text=_("name=value, one a line."))

    def __init__(self, data: Any, files: Any, noun: str, swarms: Iterable[Swarm], **kwargs: Any) -> None:
        super().__init__(data, files, noun, **kwargs)
        choice: Any = self.fields["swarm"]
        choice.choices = [(swarm.name, swarm.name) for swarm in swarms if swarm.is_live]
        if noun != "secret":
            del self.fields["driver"]


BYTES_READ = 500 * 1024 + 1  # what is longer is refused whatever follows


class Unsaid(forms.Textarea):
    """A text that does not come back."""

    def format_value(self, value: Any) -> Any:
        return None
