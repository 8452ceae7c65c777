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
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from common.events import publisher
from common.lock import lock
from common.serving import add_address, address_of, listen, web_server
from dashboard.celery import app as celery_app
from hosts.first_start import first_start
from hosts.inventory import processes
from hosts.inventory.fleet import Fleet
from jobs import queue
from jobs.run import WORKER, interrupt_dead

STOP_SECONDS = 3.0

log = structlog.get_logger("dermaga.up")


class Command(BaseCommand):
    help = "Starts Dermaga: web, worker, beat and watcher in one process."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_address(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # a second one would call the jobs of the first interrupted, and take its hosts
        if settings.EMBEDDED and not lock(settings.DATA / "up.lock"):
            raise CommandError(f"Dermaga runs already with the data folder {settings.DATA}. Stop it first.")
        listener = listen(options["host"], options["port"])
        call_command("migrate", verbosity=0, interactive=False)
        for line in first_start():
            self.stdout.write(line)
        self.stdout.write(f"Dermaga serves at {address_of(listener)}  (Ctrl-C stops it)")
        self.stdout.flush()
        asyncio.run(serve(listener))


async def serve(listener: socket.socket) -> None:
    """Runs all parts until SIGINT or SIGTERM, then stops them within a few seconds."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    publisher.use_loop(loop)
    server = web_server()
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
    from celery.beat import EmbeddedService

    beat = EmbeddedService(celery_app, thread=True, scheduler_cls=settings.CELERY_BEAT_SCHEDULER)
    beat.daemon = True
    beat.start()
    return beat


def stop_jobs() -> None:
    """Nothing stays "running" when this process ends."""
    interrupt_dead(None, workers=[WORKER])
    processes.leave()
    connections.close_all()


def finish() -> None:
    """Threads that wait for an engine are not waited for: their rows say "interrupted" already."""
    sys.stdout.write("Dermaga has stopped.\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
