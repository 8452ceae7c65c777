"""`manage.py token create USER --name N | list | remove USER --name N`."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import record
from accounts.models import ApiToken, User
from accounts.rights import SYSTEM


class Command(BaseCommand):
    help = "Makes, lists and removes the API tokens of users."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        for act in ("create", "remove"):
            one = acts.add_parser(act)
            one.add_argument("user")
            one.add_argument("--name", required=True)
        acts.add_parser("list")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self.create, "list": self.list, "remove": self.remove}[options["act"]](options)

    def create(self, options: dict[str, Any]) -> None:
        """Prints the token and nothing else: the only time that it can be seen."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user called {options['user']}.")
        name = options["name"][:100]
        if ApiToken.objects.filter(user=user, name=name).exists():
            raise CommandError(f"{user} has a token called {name} already. Choose another name.")
        token = ApiToken.make(user, name)
        record(SYSTEM, "token.create", name, detail={"user": user.username})
        self.stdout.write(token)

    def list(self, options: dict[str, Any]) -> None:
        """One line a token: user, name, when it was made, when it was used last."""
        for token in ApiToken.objects.select_related("user").order_by("user__username", "name"):
            used = f"{token.last_used:%F %T}" if token.last_used else "never"
            self.stdout.write("\t".join([token.user.username, token.name, f"{token.created:%F %T}", used]))

    def remove(self, options: dict[str, Any]) -> None:
        """From now on nobody is let in by it; its open sockets end within 5 s."""
        found = ApiToken.objects.filter(user__username=options["user"], name=options["name"])
        if not found.exists():
            raise CommandError(f"{options['user']} has no token called {options['name']}.")
        found.delete()
        record(SYSTEM, "token.remove", options["name"], detail={"user": options["user"]})
        self.stdout.write(f"Removed {options['name']} of {options['user']}.")
