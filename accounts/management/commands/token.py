"""`manage.py token create USER --name N [--right R ...] [--host H ...] [--team T ...] [--network CIDR ...]
[--days N] | list | remove USER --name N`."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.rights import SYSTEM
from common.errors import DermagaError


class Command(BaseCommand):
    help = "Makes, lists and removes the API tokens of users."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        for act in ("create", "remove"):
            one = acts.add_parser(act)
            one.add_argument("user")
            one.add_argument("--name", required=True)
            if act == "create":
                one.add_argument("--right", action="append", help="like containers.view; all of the user unless given")
                one.add_argument("--host", action="append", help="on this host; on all unless given")
                one.add_argument("--team", action="append", help="for what this team owns alone")
                one.add_argument("--network", action="append", default=[], help="from where, like 10.8.0.0/16")
                one.add_argument("--days", type=int, help="for how long; for ever unless given")
        acts.add_parser("list")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"create": self.create, "list": self.list, "remove": self.remove}[options["act"]](options)
        except DermagaError as error:
            raise CommandError(str(error)) from error

    def create(self, options: dict[str, Any]) -> None:
        """Prints the token and nothing else: the only time that it can be seen."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user called {options['user']}.")
        days = options.get("days")
        if days is not None and not 1 <= days <= 36500:
            raise CommandError(f"--days {days} is not a number from 1 to 36500.")
        limits: dict[str, Any] = {"scope": options.get("right"), "networks": options.get("network") or []}
        limits |= {"hosts": options.get("host"), "teams": options.get("team")}
        expires = timezone.now() + timedelta(days=days) if days else None
        self.stdout.write(tokens.make(SYSTEM, user, options["name"][:100], expires=expires, **limits))

    def list(self, options: dict[str, Any]) -> None:
        """One line a token: user, name, when it was made, when it was used last, from where, when it ends, limits."""
        for token in ApiToken.objects.select_related("user").order_by("user__username", "name"):
            used = f"{token.last_used:%F %T}" if token.last_used else "never"
            ends = f"{token.expires:%F %T}" if token.expires else "never"
            limits = [
                ",".join(token.scope) if token.scope is not None else "all",
                ",".join(token.networks) or "anywhere",
                ",".join(token.hosts) if token.hosts is not None else "all hosts",
                ",".join(token.teams) if token.teams is not None else "everybody's",
            ]
            made = f"{token.created:%F %T}"
            self.stdout.write(
                "\t".join([token.user.username, token.name, made, used, token.last_address, ends, *limits])
            )

    def remove(self, options: dict[str, Any]) -> None:
        """From now on nobody is let in by it; its open sockets end within 5 s."""
        found = ApiToken.objects.filter(user__username=options["user"], name=options["name"]).first()
        if found is None:
            raise CommandError(f"{options['user']} has no token called {options['name']}.")
        tokens.remove(SYSTEM, found)
        self.stdout.write(f"Removed {options['name']} of {options['user']}.")
