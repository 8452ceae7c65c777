"""`manage.py watch`: keeps the tables true. Runs as often as you like; hosts are shared out."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from hosts.inventory.fleet import Fleet


class Command(BaseCommand):
    help = "Mirrors every enabled host into the tables until it is stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(watch())


async def watch() -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await Fleet().run(stop)
