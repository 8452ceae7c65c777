"""The form of a place for backups; a stored secret is never shown again."""

import os
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from hosts.forms.registries import PLAIN, RefusedForm
from hosts.models import Destination
from hosts.models.backups import DestinationKind

FIELDS = ("name", "kind", "folder")
RESERVED = {"add", "destinations", "restore", "schedule"}


class DestinationForm(RefusedForm):
    """Add and edit."""

    name = forms.SlugField(
        label=_("Name"), max_length=63, help_text=_("Letters, digits, dashes and underscores. Shown everywhere.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=DestinationKind.choices)
    folder = forms.CharField(
        label=_("Folder"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Its whole path on the machine that Dermaga runs on. It has to be there."),
    )

    def __init__(self, *args: Any, destination: Destination | None = None, **kwargs: Any) -> None:
        self.destination = destination
        if destination is not None:
            kwargs["initial"] = {name: getattr(destination, name) for name in FIELDS}
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in RESERVED:
            raise forms.ValidationError(
                _("“%(name)s” is a page of its own: choose another name."), params={"name": name}
            )
        others = Destination.objects.exclude(pk=self.destination.pk) if self.destination else Destination.objects.all()
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a destination called %(name)s already."), params={"name": name})
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == DestinationKind.FOLDER:
            self._clean_folder(data)
        return data

    def _clean_folder(self, data: dict[str, Any]) -> None:
        path = str(data.get("folder") or "").strip()
        allowed = settings.DERMAGA_BACKUP_FOLDERS
        if not allowed:
            words = _(
                "No folder is allowed yet. Name some in the setting DERMAGA_BACKUP_FOLDERS and start Dermaga again."
            )
            self.add_error("folder", words)
        elif not path.startswith("/") or not path.isprintable():
            self.add_error("folder", _("Give the whole path of a folder, like %(path)s.") % {"path": allowed[0]})
        elif not any(_is_in(path, folder) for folder in allowed):
            words = _("This folder is not allowed. Choose one of these, or one inside of them: %(folders)s.")
            self.add_error("folder", words % {"folders": ", ".join(allowed)})
        else:
            data["folder"] = os.path.normpath(path)

    def fill(self, destination: Destination) -> Destination:
        """Puts what was entered into `destination` (not saved)."""
        for name in FIELDS:
            setattr(destination, name, self.cleaned_data[name])
        return destination


def _is_in(path: str, folder: str) -> bool:
    path, folder = os.path.normpath(path), os.path.normpath(folder)
    return path == folder or path.startswith(f"{folder}/")
