"""The form of whose an object is."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import RefusedForm
from hosts.models.base import Owned, Shared


class OwnerForm(RefusedForm):
    """Its team, for who manages the host; and the teams that it is shared with, where it can be shared."""

    team = forms.ChoiceField(
        label=_("Team"),
        required=False,
        help_text=_("Only this team and those whose rights are about all of the host see it."),
    )
    shared = forms.MultipleChoiceField(
        label=_("Shared with"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("These teams see it and use it in their containers. They do not change or remove it."),
    )

    def __init__(
        self, *args: Any, row: Owned, shared: list[str], teams: list[str], manages: bool, **kwargs: Any
    ) -> None:
        kwargs["initial"] = {"team": row.owner.name if row.owner else "", "shared": shared}
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in teams]
        fields: dict[str, Any] = self.fields
        fields["team"].choices = [("", _("nobody's")), *names]
        fields["shared"].choices = names
        if not manages:
            del self.fields["team"]
        if not isinstance(row, Shared):
            del self.fields["shared"]
