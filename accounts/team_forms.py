"""The forms of teams, members, roles and grants."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnRole, Team
from accounts.models.teams import GRANTABLE, host_model
from accounts.right_words import WORDS
from accounts.rights import Role
from accounts.teams import ABOUT_AT_MOST, LABEL_AT_MOST
from common.forms import RefusedForm

NAME_HELP = _("Letters, digits, dashes and underscores.")
PLACES = [("all", _("All hosts")), ("label", _("All hosts with a label")), ("host", _("One host"))]


class TeamForm(RefusedForm):
    """A team's name."""

    name = forms.CharField(label=_("Name"), max_length=63, help_text=NAME_HELP)
    about = forms.CharField(label=_("What it is for"), max_length=ABOUT_AT_MOST, required=False)

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        if team is not None:
            kwargs["initial"] = {"name": team.name, "about": team.about}
        super().__init__(*args, **kwargs)


class MemberForm(RefusedForm):
    """Who is to be in a team."""

    user = forms.CharField(label=_("Account"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    lead = forms.BooleanField(label=_("Leads the team: adds and removes members"), required=False)


class RoleForm(RefusedForm):
    """A role of one's own."""

    name = forms.CharField(label=_("Name"), max_length=63, help_text=NAME_HELP)
    about = forms.CharField(label=_("What it is for"), max_length=ABOUT_AT_MOST, required=False)
    rights = forms.MultipleChoiceField(
        label=_("Rights"),
        choices=[(str(right), words) for right, words in WORDS.items()],
        error_messages={"required": _("Choose at least one right.")},
    )

    def __init__(self, *args: Any, role: OwnRole | None = None, **kwargs: Any) -> None:
        if role is not None:
            kwargs["initial"] = {"name": role.name, "about": role.about, "rights": sorted(role.holds)}
        super().__init__(*args, **kwargs)

    @property
    def chosen(self) -> set[str]:
        """The rights that are ticked."""
        return {str(name) for name in self["rights"].value() or ()}


class GrantForm(RefusedForm):
    """A role, and where it holds."""

    role = forms.ChoiceField(label=_("Role"))
    place = forms.ChoiceField(label=_("Where"), choices=PLACES)
    host = forms.ChoiceField(label=_("Host"), required=False)
    label = forms.CharField(
        label=_("Label"),
        max_length=LABEL_AT_MOST,
        required=False,
        help_text=_("NAME=VALUE, or NAME for any value, as hosts have it"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    own = forms.BooleanField(
        label=_("Only what the team owns"),
        required=False,
        help_text=_("Other objects there stay hidden, and what its members make is the team's."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [(role.name, role.name) for role in OwnRole.objects.all()]
        role: Any = self.fields["role"]
        role.choices = [(str(role), Role(role).label) for role in GRANTABLE[::-1]] + own
        host: Any = self.fields["host"]
        names = host_model().objects.order_by("name").values_list("name", flat=True)
        host.choices = [("", "-"), *((name, name) for name in names)]

    def clean(self) -> None:
        place = self.cleaned_data.get("place")
        for name, words in (("host", _("Choose the host.")), ("label", _("Write the label."))):
            if place == name and not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, str(words))

    @property
    def wanted(self) -> dict[str, Any]:
        """What the act takes."""
        place = self.cleaned_data["place"]
        return {"role": self.cleaned_data["role"], "own": self.cleaned_data["own"]} | {
            name: self.cleaned_data[name] if place == name else "" for name in ("host", "label")
        }


class WhyForm(forms.Form):
    """A question: may this account do that there?"""

    right = forms.ChoiceField(label=_("Right"), choices=[(str(right), str(right)) for right in WORDS])
    host = forms.ChoiceField(label=_("Host"), required=False)

    def __init__(self, *args: Any, hosts: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        host: Any = self.fields["host"]
        host.choices = [("", _("any")), *((name, name) for name in hosts)]
