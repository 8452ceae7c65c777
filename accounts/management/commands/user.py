"""`manage.py user remove-second-factor | sessions | end-sessions | reset-password NAME`."""

import argparse
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts import links, second_factor, sessions
from accounts.models import User
from accounts.rights import SYSTEM
from common.errors import DermagaError


class Command(BaseCommand):
    help = "Helps people who cannot log in, and logs out who should not be in."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        for act in ("remove-second-factor", "sessions", "end-sessions", "reset-password"):
            one = acts.add_parser(act)
            one.add_argument("user")
            if act == "reset-password":
                one.add_argument("--url", default=(settings.CSRF_TRUSTED_ORIGINS or ["http://127.0.0.1:8000"])[0])

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user called {options['user']}.")
        acts: dict[str, Callable[[User], None]] = {
            "remove-second-factor": self.remove_second_factor,
            "sessions": self.sessions,
            "end-sessions": self.end_sessions,
            "reset-password": lambda user: self.reset_password(user, options["url"]),
        }
        try:
            acts[options["act"]](user)
        except DermagaError as error:
            raise CommandError(str(error)) from error

    def reset_password(self, user: User, url: str) -> None:
        """Prints a link and nothing else."""
        self.stdout.write(url.rstrip("/") + reverse("new_password", args=[links.for_password(SYSTEM, user)]))

    def remove_second_factor(self, user: User) -> None:
        """For who lost the device and the codes."""
        second_factor.remove(SYSTEM, user)
        self.stdout.write(f"{user} logs in by the password alone.")

    def sessions(self, user: User) -> None:
        """One line a session: browser, address, when it began, when it was used last."""
        for one in sessions.of(user):
            times = [f"{one.created_at:%F %T}", f"{one.last_seen_at:%F %T}"]
            self.stdout.write("\t".join([sessions.client_of(one.user_agent), one.ip, *times]))

    def end_sessions(self, user: User) -> None:
        """Every browser has to log in again."""
        self.stdout.write(f"Ended {sessions.end_all(SYSTEM, user)} sessions of {user}.")
