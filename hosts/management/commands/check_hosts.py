"""`manage.py check_hosts`: connects once to each host and says what it found; exit status 1 if one fails."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hosts.engine.connect import check
from hosts.engine.errors import EngineError
from hosts.models import Host


class Command(BaseCommand):
    help = "Connects once to every enabled host."

    def handle(self, *args: Any, **options: Any) -> None:
        hosts = list(Host.objects.filter(enabled=True).order_by("name"))
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(_ask, [(host.name, host.endpoint()) for host in hosts]))
        for _, line in answers:
            self.stdout.write(line)
        failed = sum(not good for good, _ in answers)
        if failed:
            raise CommandError(f"{failed} of {len(hosts)} hosts cannot be used.")


def _ask(named: tuple[str, Any]) -> tuple[bool, str]:
    name, endpoint = named
    try:
        info = check(endpoint)
    except EngineError as error:
        return False, f"{name}\tfailed\t{error} {error.detail}".rstrip()
    return True, f"{name}\tok\t{info['engine']} {info['version']}, API {info['api_version']}"
