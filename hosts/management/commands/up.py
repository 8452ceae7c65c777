"""`manage.py up`: web, worker, beat and watcher in one process, on SQLite, without any server."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from typing import Any

import structlog
import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from common.events import publisher
from dashboard.celery import app as celery_app
from hosts.first_start import first_start
from hosts.inventory.fleet import Fleet
from jobs import queue
from jobs.run import WORKER, interrupt_dead

STOP_SECONDS = 3.0

log = structlog.get_logger("dermaga.up")


class Command(BaseCommand):
    help = "Starts Dermaga: web, worker, beat and watcher in one process."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="port to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        listener = listen(options["host"], options["port"])
        call_command("migrate", verbosity=0, interactive=False)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        if shown in {"0.0.0.0", "[::]"}:
            shown = "localhost"
        for line in first_start():
            self.stdout.write(line)
        self.stdout.write(f"Dermaga serves at http://{shown}:{port}/  (Ctrl-C stops it)")
        self.stdout.flush()
        asyncio.run(serve(listener))


def listen(host: str, port: str) -> socket.socket:
    """A listening socket, taken before anything else is done; raises CommandError in a sentence."""
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise CommandError(f"PORT={port} is not a port number from 1 to 65535.")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except socket.gaierror as error:
        raise CommandError(f"HOST={host} is not an address of this machine ({error.strerror}).") from error
    except PermissionError as error:
        raise CommandError(
            f"Port {port} needs more rights than this user has. Choose another: make run PORT=8000"
        ) from error
    except OSError as error:
        if error.errno == 98:
            raise CommandError(
                f"Port {port} on {host} is taken. Choose another: make run PORT={int(port) + 1}"
            ) from error
        raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}).") from error
    return listener


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: `serve` stops all parts in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def serve(listener: socket.socket) -> None:
    """Runs all parts until SIGINT or SIGTERM, then stops them within a few seconds."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    publisher.use_loop(loop)
    server = Server(
        uvicorn.Config(
            "dashboard.asgi:application",
            log_config=None,
            lifespan="off",
            ws_max_size=4 * 1024 * 1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    worker = start_celery()
    await asyncio.to_thread(queue.recover, all_workers_gone=settings.EMBEDDED)
    watcher_stop = threading.Event()
    watcher = threading.Thread(target=lambda: asyncio.run(watch(watcher_stop)), name="watch", daemon=True)
    watcher.start()
    beat = start_beat()
    web = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({web, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    watcher_stop.set()
    beat.service.stop(wait=False)  # waiting would block this loop until its next tick
    worker.should_stop = True
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(web, STOP_SECONDS)
    await asyncio.to_thread(watcher.join, 1.0)
    await asyncio.to_thread(stop_jobs)
    finish()


async def watch(stop: threading.Event) -> None:
    """The fleet in a loop of its own: reading a large host must not delay pages."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(
        target=lambda: (stop.wait(), loop.call_soon_threadsafe(stopped.set)), daemon=True, name="watch-stop"
    ).start()
    await Fleet().run(stopped)


class Worker:
    """A Celery worker in a thread."""

    def __init__(self) -> None:
        self.should_stop = False
        self.controller = celery_app.WorkController(
            pool="threads",
            concurrency=settings.CELERY_WORKER_CONCURRENCY,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
        )
        threading.Thread(target=self.controller.start, name="worker", daemon=True).start()


def start_celery() -> Worker:
    """Starts the worker."""
    return Worker()


def start_beat() -> Any:
    """Starts the scheduler in a thread."""
    from celery.beat import EmbeddedService, Scheduler

    beat = EmbeddedService(celery_app, thread=True, scheduler_cls=Scheduler)
    beat.daemon = True
    beat.start()
    return beat


def stop_jobs() -> None:
    """Nothing stays "running" when this process ends."""
    interrupt_dead(None, workers=[WORKER])
    connections.close_all()


def finish() -> None:
    """Threads that wait for an engine are not waited for: their rows say "interrupted" already."""
    sys.stdout.write("Dermaga has stopped.\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
