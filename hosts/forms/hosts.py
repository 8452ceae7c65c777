"""The form of a host's entry: address and keys, pasted or uploaded; stored keys are never shown again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hosts.engine.endpoint import Endpoint, SSHMaterial, TLSMaterial, parse_url
from hosts.engine.errors import EndpointError
from hosts.models import Host

KINDS = [
    ("unix", _("UNIX socket on this machine")),
    ("tls", _("TCP with TLS")),
    ("ssh", _("SSH")),
    ("tcp", _("TCP without encryption")),
]
FILE_AT_MOST = 256 * 1024
SECRETS = ("tls_key", "ssh_key")
MATERIAL = ("tls_ca", "tls_cert", "tls_key", "ssh_key", "ssh_known_hosts")


def kind_of(url: str, *, tls: bool) -> str:
    """The kind of connection that an address and whether there is a certificate make. Raises EndpointError."""
    kind = parse_url(url).kind
    return "tls" if kind == "tcp" and tls else kind


class HostForm(forms.Form):
    """Add and edit. On edit an empty key field keeps the stored key."""

    name = forms.SlugField(
        label=_("Name"), max_length=63, help_text=_("Letters, digits, dashes and underscores. Shown everywhere.")
    )
    kind = forms.ChoiceField(label=_("Connection"), choices=KINDS)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("unix:///var/run/docker.sock, tcp://10.0.0.5:2376 or ssh://user@10.0.0.5"),
    )
    labels = forms.CharField(
        label=_("Labels"), required=False, max_length=2000, help_text=_("name=value, separated by commas.")
    )
    tls_ca = forms.CharField(label=_("CA certificate"), required=False, widget=forms.Textarea)
    tls_cert = forms.CharField(label=_("Client certificate"), required=False, widget=forms.Textarea)
    tls_key = forms.CharField(label=_("Client key"), required=False, widget=forms.Textarea)
    ssh_key = forms.CharField(label=_("SSH private key"), required=False, widget=forms.Textarea)
    ssh_known_hosts = forms.CharField(
        label=_("Known host keys"),
        required=False,
        widget=forms.Textarea,
        help_text=_("The lines that ssh-keyscan prints for this host. Compare them on the host first."),
    )
    tls_ca_file = forms.FileField(label=_("CA certificate as a file"), required=False)
    tls_cert_file = forms.FileField(label=_("Client certificate as a file"), required=False)
    tls_key_file = forms.FileField(label=_("Client key as a file"), required=False)
    ssh_key_file = forms.FileField(label=_("SSH private key as a file"), required=False)

    def __init__(self, *args: Any, host: Host | None = None, **kwargs: Any) -> None:
        self.host = host
        if host is not None:
            kwargs["initial"] = {
                "name": host.name,
                "kind": host.kind,
                "url": host.url,
                "labels": ", ".join(f"{name}={value}" for name, value in host.labels.items()),
                **{name: getattr(host, name) for name in MATERIAL if name not in SECRETS},
            }
        super().__init__(*args, **kwargs)
        if host is not None:
            for name in SECRETS:
                if getattr(host, name):
                    self.fields[name].help_text = _("A key is stored. Leave this empty to keep it.")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        taken = Host.objects.filter(name__iexact=name)
        if self.host:
            taken = taken.exclude(pk=self.host.pk)
        if name == "add":
            raise forms.ValidationError(_("“add” is a page of its own: choose another name."))
        if taken.exists():
            raise forms.ValidationError(_("There is a host called %(name)s already."), params={"name": name})
        return name

    def clean_labels(self) -> dict[str, str]:
        labels = {}
        for part in filter(None, (p.strip() for p in self.cleaned_data["labels"].split(","))):
            name, sign, value = part.partition("=")
            if not sign or not name.strip():
                raise forms.ValidationError(_("“%(part)s” is not name=value."), params={"part": part[:80]})
            labels[name.strip()] = value.strip()
        return labels

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in MATERIAL:
            upload = self.cleaned_data.get(f"{name}_file")
            if upload:
                self._take_file(name, upload)
            data[name] = data.get(name, "").replace("\r\n", "\n").strip()
            if not data[name] and name in SECRETS and self.host and data.get("kind") == self.host.kind:
                data[name] = getattr(self.host, name)
        if data.get("kind") and data.get("url"):
            self._check_endpoint(data)
        return data

    def _take_file(self, name: str, upload: Any) -> None:
        if upload.size > FILE_AT_MOST:
            self.add_error(name, _("The file is too large for a certificate or key."))
            return
        try:
            self.cleaned_data[name] = upload.read().decode()
        except UnicodeDecodeError:
            self.add_error(name, _("The file is not text: use the PEM form, not DER."))

    def _check_endpoint(self, data: dict[str, Any]) -> None:
        kind = data["kind"]
        try:
            parsed = parse_url(data["url"])
        except EndpointError as error:
            self._blame(error)
            return
        wanted = "tcp" if kind == "tls" else kind
        if parsed.kind != wanted and not (parsed.kind == "tls" and kind == "tls"):
            self.add_error("url", _("This address does not fit the connection that was chosen above."))
            return
        data["url"] = parsed.url
        for name in ("tls_ca", "tls_cert", "tls_key") if kind != "tls" else ():
            data[name] = ""
        for name in ("ssh_key", "ssh_known_hosts") if kind != "ssh" else ():
            data[name] = ""
        if kind == "tls" and bool(data["tls_cert"]) != bool(data["tls_key"]):
            missing = "tls_key" if data["tls_cert"] else "tls_cert"
            self.add_error(missing, _("Certificate and key come together: this one is missing."))
        if kind == "ssh":
            for name in ("ssh_key", "ssh_known_hosts"):
                if not data[name]:
                    self.add_error(name, _("SSH needs this."))
        if not self.errors:
            self._check_material()

    def _check_material(self) -> None:
        from hosts.engine.tls import tls_context

        try:
            endpoint = self.endpoint()
            if endpoint.tls is not None:
                tls_context(endpoint.tls)
            if endpoint.ssh is not None:
                from hosts.engine.tunnel import read_key, read_known_hosts

                read_key(endpoint.ssh.key)
                read_known_hosts(endpoint.ssh.known_hosts)
        except EndpointError as error:
            self._blame(error)

    def _blame(self, error: EndpointError) -> None:
        from django.utils.translation import gettext

        sentence = gettext(error.template)
        self.add_error(error.field if error.field in self.fields else "url", sentence % error.params)

    def endpoint(self) -> Endpoint:
        """What was entered, as an endpoint to test."""
        data = self.cleaned_data
        tls = TLSMaterial(data["tls_ca"], data["tls_cert"], data["tls_key"]) if data["kind"] == "tls" else None
        ssh = SSHMaterial(data["ssh_key"], data["ssh_known_hosts"]) if data["kind"] == "ssh" else None
        return Endpoint(data["url"], tls, ssh)

    def fill(self, host: Host) -> Host:
        """Puts what was entered into `host` (not saved)."""
        for name in ("name", "kind", "url", "labels", *MATERIAL):
            setattr(host, name, self.cleaned_data[name])
        return host
