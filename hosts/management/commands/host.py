"""`manage.py host add NAME URL [keys] | list | remove NAME`."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rights import SYSTEM
from common.errors import NotFound
from hosts.access import get_host
from hosts.actions.system import hosts
from hosts.forms.hosts import HostForm, kind_of
from hosts.models import Host

FILES = {
    "ca": "tls_ca",
    "cert": "tls_cert",
    "key": "tls_key",
    "ssh_key": "ssh_key",
    "ssh_known_hosts": "ssh_known_hosts",
}


class Command(BaseCommand):
    help = "Adds, lists and removes hosts."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add")
        add.add_argument("name")
        add.add_argument("url")
        for name in FILES:
            add.add_argument(f"--{name.replace('_', '-')}", metavar="FILE")
        acts.add_parser("list")
        acts.add_parser("remove").add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, {"add": "add", "list": "list", "remove": "remove"}[options["act"]])(options)

    def add(self, options: dict[str, Any]) -> None:
        """Stores a host after the same checks as the page's."""
        values = {"name": options["name"], "url": options["url"], "labels": ""}
        for option, field in FILES.items():
            values[field] = _read(options[option]) if options[option] else ""
        try:
            values["kind"] = kind_of(options["url"], tls=bool(values["tls_ca"] or values["tls_cert"]))
        except ValueError as error:
            raise CommandError(f"url: {error}") from error
        form = HostForm(values)
        if not form.is_valid():
            raise CommandError("\n".join(f"{name}: {' '.join(map(str, e))}" for name, e in form.errors.items()))
        host = hosts.add(SYSTEM, form.fill(Host()))
        self.stdout.write(f"Added {host.name} ({host.url}).")

    def list(self, options: dict[str, Any]) -> None:
        """One line a host: name, address, state, reason."""
        for host in Host.objects.order_by("name"):
            self.stdout.write("\t".join([host.name, host.url, host.state if host.enabled else "disabled", host.reason]))

    def remove(self, options: dict[str, Any]) -> None:
        """Forgets a host."""
        try:
            hosts.remove(SYSTEM, get_host(SYSTEM, options["name"]))
        except NotFound:
            raise CommandError(f"There is no host called {options['name']}.") from None
        self.stdout.write(f"Removed {options['name']}.")


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
