"""The form of a target of the audit; a stored secret is never shown again."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Forward, ForwardKind
from common.forms import RefusedForm
from hosts.forms.registries import CA_AT_MOST, PLAIN, checked_ca

FIELDS = ("name", "kind", "address", "ca", "enabled")
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*")
SECRET_AT_LEAST, SECRET_AT_MOST = 16, 200
PORT_AT_MOST = 65535
WITH_TLS = (ForwardKind.TLS, ForwardKind.WEBHOOK)


class ForwardForm(RefusedForm):
    """Add and edit. `everything` counts when one is added."""

    name = forms.SlugField(
        label=_("Name"), max_length=63, help_text=_("Letters, digits, dashes and underscores. Shown everywhere.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=ForwardKind.choices)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Of syslog host:port, as logs.example.com:6514. Of a webhook https://logs.example.com/path."),
    )
    secret = forms.CharField(
        label=_("Secret"),
        max_length=SECRET_AT_MOST,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "Of a webhook: what is sent is signed with it. At least 16 characters, stored encrypted, never shown."
        ),
    )
    ca = forms.CharField(
        label=_("CA certificate"),
        required=False,
        max_length=CA_AT_MOST,
        widget=forms.Textarea,
        help_text=_("PEM text of the CA that signed its certificate, when it is one of your own. May be empty."),
    )
    enabled = forms.BooleanField(label=_("Send to it"), required=False, initial=True)
    everything = forms.BooleanField(label=_("Send also what the audit has already"), required=False)

    def __init__(self, *args: Any, forward: Forward | None = None, **kwargs: Any) -> None:
        self.forward = forward
        if forward is not None:
            kwargs["initial"] = {name: getattr(forward, name) for name in FIELDS}
        super().__init__(*args, **kwargs)
        if forward is not None:
            del self.fields["everything"]
            if forward.secret:
                self.fields["secret"].help_text = _("One is stored. Leave this empty to keep it.")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name == "add":
            raise forms.ValidationError(_("“add” is a page of its own: choose another name."))
        others = Forward.objects.exclude(pk=self.forward.pk) if self.forward else Forward.objects.all()
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a target called %(name)s already."), params={"name": name})
        return name

    def clean_ca(self) -> str:
        return checked_ca(self.cleaned_data["ca"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind, address = data.get("kind"), str(data.get("address") or "").strip()
        if kind == ForwardKind.WEBHOOK:
            self._clean_secret(data)
            if address and not _is_webhook(address):
                words = _("Give an address that begins with https://, without a user, a password and a part behind #.")
                self.add_error("address", words)
        elif kind and address and not _is_place(address):
            self.add_error(
                "address", _("Give a host and a port: logs.example.com:6514, 10.0.0.5:514 or [fd00::5]:514.")
            )
        data["address"] = address
        return data

    def _clean_secret(self, data: dict[str, Any]) -> None:
        secret = str(data.get("secret") or "")
        if not secret.isprintable():
            self.add_error("secret", _("It has a line break or another control character: paste it again."))
        elif secret and len(secret) < SECRET_AT_LEAST:
            self.add_error("secret", _("A secret has at least 16 characters."))
        elif not secret and not (self.forward and self.forward.secret) and "secret" not in self.errors:
            self.add_error("secret", _("A webhook needs a secret, by which it knows that Dermaga has sent it."))

    def fill(self, forward: Forward) -> Forward:
        """Puts what was entered into `forward` (not saved)."""
        for name in FIELDS:
            setattr(forward, name, self.cleaned_data[name])
        is_webhook = forward.kind == ForwardKind.WEBHOOK
        forward.secret = (self.cleaned_data["secret"] or forward.secret) if is_webhook else ""
        forward.ca = forward.ca if forward.kind in WITH_TLS else ""
        return forward


def _is_host(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return bool(HOST.fullmatch(host))


def _is_webhook(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and not parts.fragment
    return parts.scheme == "https" and "@" not in parts.netloc and port != 0 and plain and _is_host(host)


def _is_place(address: str) -> bool:
    host, colon, port = address.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) <= PORT_AT_MOST:
        return False
    if host.startswith("["):
        return host.endswith("]") and ":" in host and "%" not in host and _is_host(host[1:-1])
    return ":" not in host and _is_host(host)
