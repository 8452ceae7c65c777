"""allauth's forms in our words."""

from typing import Any

from allauth.account import forms
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _


class LoginForm(forms.LoginForm):
    """Name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider_name = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        self.fields["login"].label = _("Name")
        self.fields["remember"].label = _("Stay logged in on this device")
        if settings.EMAIL_URL:
            self.fields["password"].help_text = format_html(
                '<a href="{}">{}</a>', reverse("forgotten"), _("Forgotten? Have a link mailed.")
            )
        else:
            self.fields["password"].help_text = _("Forgotten? An administrator can set a new one.")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class ChangePasswordForm(forms.ChangePasswordForm):
    """The current password, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("New password, again")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class ReauthenticateForm(forms.ReauthenticateForm):
    """The password, once more before something that matters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)
