"""`manage.py token create USER --name N`: prints the token and nothing else."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import record
from accounts.models import ApiToken, User
from accounts.rights import SYSTEM


class Command(BaseCommand):
    help = "Makes an API token for a user and prints it: the only time that it can be seen."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        create = parser.add_subparsers(dest="act", required=True).add_parser("create")
        create.add_argument("user")
        create.add_argument("--name", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user called {options['user']}.")
        if ApiToken.objects.filter(user=user, name=options["name"]).exists():
            raise CommandError(f"{user} has a token called {options['name']} already. Choose another name.")
        token = ApiToken.make(user, options["name"][:100])
        record(SYSTEM, "token.create", options["name"], detail={"user": user.username})
        self.stdout.write(token)
