"""`manage.py web`: pages, API and websockets. Runs as often as you like, each on a port of its own."""

import argparse
import asyncio
import signal
import socket
from typing import Any

from django.core.management.base import BaseCommand

from common.serving import add_address, address_of, listen, web_server


class Command(BaseCommand):
    help = "Serves pages, API and websockets until it is stopped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_address(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        listener = listen(options["host"], options["port"])
        self.stdout.write(f"Dermaga serves at {address_of(listener)}")
        self.stdout.flush()
        asyncio.run(serve(listener))


async def serve(listener: socket.socket) -> None:
    """Until SIGINT or SIGTERM; what is open then has a second to end."""
    server = web_server()

    def stop() -> None:
        server.should_exit = True

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    await server.serve(sockets=[listener])
