"""allauth's forms for second factors in our words."""

from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from django.utils.translation import gettext_lazy as _

HOW = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "off"}


class AuthenticateForm(base.AuthenticateForm):
    """After the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _told(self, _("Code"), _("Of your authenticator app, or a recovery code."), focus=True)


class ConfirmForm(base.ReauthenticateForm):
    """Once more before something that matters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _told(self, _("Code"), _("Of your authenticator app, or a recovery code."), focus=True)


class ActivateForm(totp.ActivateTOTPForm):
    """Proves that the app has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _told(self, _("Code"), _("The six digits that the app shows now."))
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


def _told(form: Any, label: Any, help_text: Any, *, focus: bool = False) -> None:
    field = form.fields["code"]
    field.label, field.help_text = label, help_text
    field.max_length = 40
    field.widget.attrs |= HOW | {"maxlength": "40"}
    field.widget.attrs.pop("placeholder", None)
    if focus:
        field.widget.attrs["autofocus"] = True
