"""The form of a policy."""

from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import RefusedForm
from hosts.policy.rules import Rules
from hosts.policy.words import HELP, WORDS

TEXT_AT_MOST = 100_000


class PolicyForm(RefusedForm):
    """What is allowed: a box for each switch, lines for each list."""

    label = forms.CharField(
        label=_("Label"),
        max_length=200,
        required=False,
        help_text=_("NAME=VALUE, or NAME for any value, as hosts have it; nothing: all hosts"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    about = forms.CharField(label=_("What it is for"), max_length=200, required=False)

    def __init__(self, data: Any = None, *, rules: Rules, placed: bool, about: str = "") -> None:
        """`placed`: where it holds is known, and not asked for."""
        initial = {name: "\n".join(v) if isinstance(v, list) else v for name, v in rules.as_json().items()}
        super().__init__(data, initial={**initial, "about": about})
        if placed:
            del self.fields["label"]
        for entry in fields(Rules):
            words, more = WORDS[entry.name], HELP.get(entry.name, "")
            if isinstance(entry.default, bool):
                self.fields[entry.name] = forms.BooleanField(label=words, help_text=more, required=False)
            else:
                area = forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"})
                self.fields[entry.name] = forms.CharField(
                    label=words, help_text=more, required=False, max_length=TEXT_AT_MOST, widget=area
                )

    @property
    def switches(self) -> list[Any]:
        """The boxes."""
        return [self[entry.name] for entry in fields(Rules) if isinstance(entry.default, bool)]

    @property
    def lists(self) -> list[Any]:
        """The lines."""
        return [self[entry.name] for entry in fields(Rules) if not isinstance(entry.default, bool)]

    @property
    def wanted(self) -> Rules:
        """What was filled in."""
        told = {
            name: value if isinstance(value, bool) else [line.strip() for line in value.splitlines() if line.strip()]
            for name, value in self.cleaned_data.items()
            if name in WORDS
        }
        return Rules.of(told)
