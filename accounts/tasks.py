"""Celery's doors: a name and a call."""

from importlib import import_module

from celery import shared_task
from django.conf import settings

from accounts import audit, links, mails, sessions


@shared_task(name="accounts.forget_old_sessions", expires=600)
def forget_old_sessions() -> None:
    """Sessions that have run out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    sessions.forget_old()
    links.forget_old()


@shared_task(name="accounts.forget_old_audit", expires=600)
def forget_old_audit() -> None:
    """Entries of the audit that were kept for long enough."""
    audit.forget_old()


@shared_task(name="accounts.mail_password_link", expires=600)
def mail_password_link(user: int, place: str, language: str) -> None:
    """A link to a new password, to who forgot the old one."""
    mails.password_link(user, place, language)
