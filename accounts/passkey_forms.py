"""allauth's forms for passkeys in our words: what a browser sends is bounded, and wrong in one sentence."""

from collections.abc import Callable
from struct import error as StructError  # noqa: N812
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from django import forms
from django.utils.translation import gettext_lazy as _
from fido2.webauthn import AuthenticationResponse

from accounts.audit import record
from accounts.differences import difference

CREDENTIAL_AT_MOST = 20_000  # characters; a real one has one or two thousand
NAME_AT_MOST = 60
PASSKEYS_AT_MOST = 20  # of one account
# what the parser of credentials raises for one that is none
MALFORMED = (
    *(AttributeError, LookupError, NotImplementedError, RecursionError, StructError, TypeError, ValueError),
    UnsupportedAlgorithm,
)
REFUSED = _("This passkey was not accepted. Try again, or use another way.")
NOT_ALONE = _("This passkey is a second factor only. Log in by your password; it is asked for afterwards.")


class CredentialField(forms.JSONField):
    """What the browser made of a passkey: an object, CREDENTIAL_AT_MOST characters."""

    widget = forms.HiddenInput
    default_error_messages = {"required": REFUSED, "invalid": REFUSED}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > CREDENTIAL_AT_MOST:
            raise forms.ValidationError(REFUSED, code="refused")
        try:
            credential = super().to_python(value)
        except (RecursionError, ValueError) as error:  # numbers of very many digits are a plain ValueError
            raise forms.ValidationError(REFUSED, code="refused") from error
        if credential is not None and not isinstance(credential, dict):
            raise forms.ValidationError(REFUSED, code="refused")
        return credential

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None  # never shown again


def _checked(check: Callable[[], Any]) -> Any:
    """What `check` gives. Raises ValidationError in our words."""
    try:
        return check()
    except forms.ValidationError as error:
        if error.code != "incorrect_code":
            raise
        raise forms.ValidationError(REFUSED, code="refused") from error
    except MALFORMED as error:
        raise forms.ValidationError(REFUSED, code="refused") from error


# ---------------------------------------------------------------- one's own passkeys
class AddForm(webauthn.AddWebAuthnForm):
    """A new passkey, and whether it may log in alone. What its owner chose is what is kept: some devices can be used
    alone without being asked to, and some do not say."""

    credential = CredentialField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, alone = self.fields["name"], self.fields["passwordless"]
        name.label, name.max_length = _("Name"), NAME_AT_MOST
        name.help_text = _("By which you know the device again.")
        name.widget.attrs |= {"maxlength": str(NAME_AT_MOST), "autocomplete": "off"}
        alone.label, alone.initial = _("It may log in alone"), True
        alone.help_text = _("Without name and password; the device asks for its PIN, a finger or a face then.")

    def clean_name(self) -> str:
        return str(super().clean_name())[:NAME_AT_MOST]

    def clean(self) -> dict[str, Any]:
        if Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count() >= PASSKEYS_AT_MOST:
            raise forms.ValidationError(_("You have 20 passkeys. Remove one first."), code="too_many")
        cleaned: dict[str, Any] = _checked(super().clean)
        if credential := cleaned.get("credential"):
            extensions = credential.get("clientExtensionResults")
            chosen = {"credProps": {"rk": bool(cleaned.get("passwordless"))}}
            credential["clientExtensionResults"] = (extensions if isinstance(extensions, dict) else {}) | chosen
        return cleaned


class EditForm(webauthn.EditWebAuthnForm):
    """Another name."""

    name = forms.CharField(label=_("Name"), max_length=NAME_AT_MOST)

    def save(self) -> Authenticator:
        user, was = self.instance.user, self.instance.wrap().name
        renamed: Authenticator = super().save()
        detail = {"kind": renamed.type} | difference({"name": was}, {"name": self.cleaned_data["name"]})
        record(user, "second_factor.rename", user.username, detail=detail)
        return renamed


# ---------------------------------------------------------------- used
class AuthenticateForm(webauthn.AuthenticateWebAuthnForm):
    """After the password."""

    credential = CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            return _checked(super().clean_credential)
        except forms.ValidationError:
            self.refused()
            raise

    def refused(self) -> None:
        """Says so in the audit; of a stranger, whose passkey it claims to be is not known."""
        name = self.user.username if self.user else ""
        record(None, "login", name, outcome="refused", detail={"kind": Authenticator.Type.WEBAUTHN})


class LoginForm(AuthenticateForm):
    """In place of name and password."""

    remember = forms.BooleanField(required=False)
    passwordless = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=None, **kwargs)

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        authenticator = super().clean_credential()
        # a challenge of another page, which asks for less, would do for the check above
        if not AuthenticationResponse.from_dict(credential).response.authenticator_data.is_user_verified():
            self.refused()
            raise forms.ValidationError(REFUSED, code="refused")
        if not authenticator.wrap().is_passwordless:
            self.refused()
            raise forms.ValidationError(NOT_ALONE, code="not_alone")
        return authenticator


class ConfirmForm(AuthenticateForm):
    """Once more before something that matters."""

    reauthenticated = True

    def refused(self) -> None:
        detail = {"kind": Authenticator.Type.WEBAUTHN}
        record(context.request.user, "second_factor.confirm", self.user.username, outcome="refused", detail=detail)
