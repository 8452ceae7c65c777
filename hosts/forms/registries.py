"""The forms of a registry and of an account; a stored password is never shown again."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.forms import RefusedForm
from hosts.engine.endpoint import TLSMaterial
from hosts.engine.errors import EndpointError
from hosts.engine.tls import check_material
from hosts.models import Registry, RegistryAccount
from hosts.registry.names import ADDRESS, normal_address
from hosts.registry.places import Login, Place

SECRET_AT_MOST = 8000  # characters: tokens of clouds are long
CA_AT_MOST = 200_000
PORT_AT_MOST = 65535
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


def checked_ca(text: str) -> str:
    """Certificates of a CA as PEM, as they are kept; "" for none. Raises ValidationError."""
    ca = text.replace("\r\n", "\n").strip()
    if ca:
        try:
            check_material(TLSMaterial(ca=ca))
        except EndpointError as error:
            raise forms.ValidationError(gettext(error.template) % error.params) from error
    return ca


class RegistryForm(RefusedForm):
    """Add and edit."""

    name = forms.SlugField(
        label=_("Name"), max_length=63, help_text=_("Letters, digits, dashes and underscores. Shown everywhere.")
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=300,
        help_text=_("registry.example.com or 10.0.0.5:5000, as it stands before the names of its images"),
        widget=forms.TextInput(attrs=PLAIN),
    )
    plain_http = forms.BooleanField(label=_("Speaks HTTP without encryption"), required=False)
    ca = forms.CharField(
        label=_("CA certificate"),
        required=False,
        max_length=CA_AT_MOST,
        widget=forms.Textarea,
        help_text=_(
            "PEM text of the CA that signed its certificate, when it is one of your own. The hosts that pull need it "
            "as well, in /etc/docker/certs.d."
        ),
    )

    def __init__(self, *args: Any, registry: Registry | None = None, **kwargs: Any) -> None:
        self.registry = registry
        if registry is not None:
            kwargs["initial"] = {name: getattr(registry, name) for name in ("name", "address", "plain_http", "ca")}
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name == "add":
            raise forms.ValidationError(_("“add” is a page of its own: choose another name."))
        if self._others().filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a registry called %(name)s already."), params={"name": name})
        return name

    def clean_address(self) -> str:
        typed = str(self.cleaned_data["address"]).strip()
        scheme, mark, rest = typed.partition("://")
        address = (rest if mark else typed).removesuffix("/").removesuffix("/v2")
        if mark and scheme == "http" and not self.data.get("plain_http"):
            raise forms.ValidationError(_("This address is one without encryption: allow that below, or use https."))
        found = ADDRESS.fullmatch(address) if not mark or scheme in {"http", "https"} else None
        if not found or not 0 < int(found["port"] or 1) <= PORT_AT_MOST:
            raise forms.ValidationError(
                _("“%(address)s” is no registry's address. Give a host and, if need be, a port: 10.0.0.5:5000."),
                params={"address": typed[:80]},
            )
        address = normal_address(address)
        first = address.partition(":")[0]
        if "." not in address and ":" not in address and first != "localhost":
            raise forms.ValidationError(
                _("Docker takes “%(address)s” for a user of Docker Hub. Add the port: %(address)s:443."),
                params={"address": address},
            )
        if self._others().filter(address=address).exists():
            raise forms.ValidationError(_("There is a registry at %(address)s already."), params={"address": address})
        return address

    def clean_ca(self) -> str:
        return checked_ca(self.cleaned_data["ca"])

    def _others(self) -> Any:
        rows = Registry.objects.all()
        return rows.exclude(pk=self.registry.pk) if self.registry else rows

    def place(self) -> Place:
        """What was entered, to test."""
        data = self.cleaned_data
        return Place(data["address"], data["ca"], data["plain_http"])

    def fill(self, registry: Registry) -> Registry:
        """Puts what was entered into `registry` (not saved)."""
        for name in ("name", "address", "plain_http", "ca"):
            setattr(registry, name, self.cleaned_data[name])
        return registry


def values_of(account: RegistryAccount) -> dict[str, Any]:
    """What the form has of it: all but the secret."""
    return {
        "username": account.username,
        "is_default": account.is_default,
        "team": account.team.name if account.team else "",
        "only_managers": account.only_managers,
    }


class AccountForm(RefusedForm):
    """Add and edit. On edit an empty password keeps the stored one."""

    username = forms.CharField(label=_("User"), max_length=255, widget=forms.TextInput(attrs=PLAIN))
    secret = forms.CharField(
        label=_("Password or access token"),
        max_length=SECRET_AT_MOST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. A token that may only read is enough to pull."),
    )
    is_default = forms.BooleanField(label=_("Use it where nobody chooses another account"), required=False)
    team = forms.ChoiceField(
        label=_("Team"),
        required=False,
        help_text=_("Its members pull, push and deploy with it; other teams neither see nor use it."),
    )
    only_managers = forms.BooleanField(
        label=_("Only for who manages registries"), required=False, help_text=_("Of an account that is no team's.")
    )

    def __init__(
        self, *args: Any, teams: Iterable[str] = (), account: RegistryAccount | None = None, **kwargs: Any
    ) -> None:
        self.account = account
        if account is not None:
            kwargs["initial"] = values_of(account)
        super().__init__(*args, **kwargs)
        offered = [("", _("none: it is the installation's")), *((name, name) for name in teams)]
        cast(forms.ChoiceField, self.fields["team"]).choices = offered
        self.fields["team"].error_messages["invalid_choice"] = _("There is no team called %(value)s.")
        if account is not None:
            self.fields["secret"].required = False
            self.fields["secret"].help_text = _("One is stored. Leave this empty to keep it.")

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if ":" in username or not username.isprintable():
            raise forms.ValidationError(_("A user's name has no colon and no control characters."))
        return username

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if any(not character.isprintable() for character in secret):
            raise forms.ValidationError(_("It has a line break or another control character: paste it again."))
        return secret

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        moved = self.account is not None and data.get("username") != self.account.username
        if moved and not data.get("secret") and "secret" not in self.errors:
            self.add_error("secret", _("This is another user: enter the password that belongs to it."))
        return data

    def login(self) -> Login:
        """What was entered, or is stored, to test."""
        stored = self.account.secret if self.account else ""
        return Login(self.cleaned_data["username"], self.cleaned_data["secret"] or stored)
