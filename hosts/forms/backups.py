"""The form of a place for backups; a stored secret is never shown again."""

import os
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.forms import RefusedForm
from hosts.actions.backups.keeping import DAYS_AT_MOST, LAST_AT_MOST
from hosts.engine.endpoint import TLSMaterial
from hosts.engine.errors import EndpointError
from hosts.engine.tls import check_material
from hosts.forms.registries import CA_AT_MOST, PLAIN
from hosts.models import Destination
from hosts.models.backups import DestinationKind
from jobs.forms import ScheduleForm

FIELDS = ("name", "kind", "folder", "url", "region", "bucket", "prefix", "access_key", "ca")
OF_BUCKETS = FIELDS[3:]
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
REGION = re.compile(r"[a-zA-Z0-9-]{0,100}")
PREFIX = re.compile(r"(?:[a-zA-Z0-9!_.*'()-]+(?:/[a-zA-Z0-9!_.*'()-]+)*/?)?")
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

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("https://s3.example.com or http://10.0.0.5:9000. Of Amazon: https://s3.amazonaws.com"),
    )
    region = forms.CharField(
        label=_("Region"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("eu-central-1. Empty: the server is asked, or has none."),
    )
    bucket = forms.CharField(
        label=_("Bucket"),
        max_length=63,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("It has to be there."),
    )
    prefix: Any = forms.CharField(  # forms have an attribute of that name, which nobody uses here
        label=_("Prefix"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Names of the objects begin with it: dermaga/backups. May be empty."),
    )
    access_key = forms.CharField(
        label=_("Access key"), max_length=255, required=False, widget=forms.TextInput(attrs=PLAIN)
    )
    secret_key = forms.CharField(
        label=_("Secret key"),
        max_length=1000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. It has to list, read, write and delete in the bucket."),
    )
    ca = forms.CharField(
        label=_("CA certificate"),
        required=False,
        max_length=CA_AT_MOST,
        widget=forms.Textarea,
        help_text=_("PEM text of the CA that signed its certificate, when it is one of your own. May be empty."),
    )

    def __init__(self, *args: Any, destination: Destination | None = None, **kwargs: Any) -> None:
        self.destination = destination
        if destination is not None:
            kwargs["initial"] = {name: getattr(destination, name) for name in FIELDS}
        super().__init__(*args, **kwargs)
        if destination is not None and destination.secret_key:
            self.fields["secret_key"].help_text = _("One is stored. Leave this empty to keep it.")

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
            data |= dict.fromkeys([*OF_BUCKETS, "secret_key"], "")
        elif data.get("kind") == DestinationKind.S3:
            self._clean_bucket(data)
            data["folder"] = ""
        return data

    def _clean_bucket(self, data: dict[str, Any]) -> None:
        data["url"] = str(data.get("url") or "").strip().rstrip("/")
        data["prefix"] = str(data.get("prefix") or "").strip("/")
        if not _is_address(data["url"]):
            self.add_error("url", _("Give the address with http:// or https://, and no path: https://s3.example.com."))
        if not BUCKET.fullmatch(str(data.get("bucket") or "")):
            words = _("A bucket's name has 3 to 63 small letters, digits, dots and dashes.")
            self.add_error("bucket", words)
        if not REGION.fullmatch(str(data.get("region") or "")):
            self.add_error("region", _("A region's name has letters, digits and dashes."))
        if not PREFIX.fullmatch(data["prefix"]) or ".." in data["prefix"].split("/"):
            self.add_error("prefix", _("A prefix has letters, digits, and these: ! - _ . * ' ( ) /"))
        if not str(data.get("access_key") or "").isprintable() or not data.get("access_key"):
            self.add_error("access_key", _("Enter the access key."))
        self._clean_secret(data)
        if "ca" not in self.errors:
            self._clean_ca(data)

    def _clean_secret(self, data: dict[str, Any]) -> None:
        old, secret = self.destination, str(data.get("secret_key") or "")
        if any(not character.isprintable() for character in secret):
            self.add_error("secret_key", _("It has a line break or another control character: paste it again."))
        elif not secret and (old is None or not old.secret_key):
            self.add_error("secret_key", _("Enter the secret key."))
        elif not secret and old is not None and (old.url, old.access_key) != (data["url"], data.get("access_key")):
            self.add_error(
                "secret_key", _("This is another server or another key: enter the secret that belongs to it.")
            )

    def _clean_ca(self, data: dict[str, Any]) -> None:
        data["ca"] = str(data.get("ca") or "").replace("\r\n", "\n").strip()
        if data["ca"]:
            try:
                check_material(TLSMaterial(ca=data["ca"]))
            except EndpointError as error:
                self.add_error("ca", gettext(error.template) % error.params)

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
        bucket = self.cleaned_data["kind"] == DestinationKind.S3
        destination.secret_key = (self.cleaned_data["secret_key"] or destination.secret_key) if bucket else ""
        return destination


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    whole = (parts.scheme, f"{parts.scheme}://{parts.netloc}")
    return whole == (parts.scheme if parts.scheme in {"http", "https"} else "", url) and bool(
        parts.hostname and "@" not in parts.netloc and port != 0 and url.isprintable() and " " not in url
    )


def _is_in(path: str, folder: str) -> bool:
    path, folder = os.path.normpath(path), os.path.normpath(folder)
    return path == folder or path.startswith(f"{folder}/")


class BackupScheduleForm(ScheduleForm):
    """A schedule of a volume's backups, with how long they are kept."""

    destination = forms.ChoiceField(label=_("Destination"))
    stop = forms.BooleanField(
        label=_("Stop the containers that use it meanwhile, and start them again"), required=False
    )
    keep_last = forms.IntegerField(
        label=_("Keep the last"),
        min_value=0,
        max_value=LAST_AT_MOST,
        initial=7,
        help_text=_("So many of the backups that this schedule makes. 0: no number."),
    )
    keep_days = forms.IntegerField(
        label=_("Keep for days"),
        min_value=0,
        max_value=DAYS_AT_MOST,
        initial=0,
        help_text=_("One that either rule keeps is kept. 0 in both keeps all."),
    )

    def __init__(self, *args: Any, destinations: Iterable[Destination], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["destination"]
        field.choices = [(one.name, one.name) for one in destinations]
