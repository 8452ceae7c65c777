"""`manage.py prepare`: migrates and makes the first account and host, before the separate processes start."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from hosts.first_start import first_start


class Command(BaseCommand):
    help = "Migrates, and on the first start makes the admin and the local host. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        for line in first_start():
            self.stdout.write(line)
