"""`manage.py user remove-second-factor NAME`."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor
from accounts.models import User
from accounts.rights import SYSTEM
from common.errors import DermagaError


class Command(BaseCommand):
    help = "Helps people who cannot log in."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("remove-second-factor").add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user called {options['user']}.")
        try:
            second_factor.remove(SYSTEM, user)
        except DermagaError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user} logs in by the password alone.")
