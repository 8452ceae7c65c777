"""What is mailed, where EMAIL_URL is set."""

from datetime import timedelta

from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import links
from accounts.models import User
from accounts.rights import SYSTEM


def password_link(pk: int, place: str, language: str) -> None:
    """To one account; `place` is the address of the product as its reader calls it."""
    user = User.objects.filter(pk=pk, is_active=True, is_service=False).exclude(email="").first()
    if user is None or not user.has_usable_password():  # a provider logs them in: a password would be a second way in
        return
    secret = links.for_password(SYSTEM, user, timedelta(hours=links.MAIL_HOURS))
    url = place.rstrip("/") + reverse("new_password", args=[secret])
    with translation.override(language):
        text = _(
            "Somebody asked for a new password of %(name)s. Choose it here, within two hours:\n\n%(url)s\n\n"
            "If that was not you, nothing has changed, and nothing has to be done."
        )
        send_mail(_("A new password for Dermaga"), text % {"name": user.username, "url": url}, None, [user.email])
