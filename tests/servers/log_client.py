"""A client of the log socket that goes on behind what it has, however often it loses the connection."""

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Self

from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.servers.product import Product

Line = tuple[int, str, str]  # stream, timestamp, text


class LogClient:
    """Follows `targets` (HOST/CONTAINER) from their beginning, in a thread, as a browser does: when the socket ends it opens
    another and says up to where it has each log.

    `lines` by target in the order they came; `notes` counts gaps, skips and states.
    """

    def __init__(self, product: Product, targets: list[str]) -> None:
        self.lines: dict[str, list[Line]] = {target: [] for target in targets}
        self.notes: Counter[str] = Counter()
        self.opened = 0  # sockets so far
        self._awake, self._asleep = threading.Event(), threading.Event()
        self._awake.set()
        self._product = product
        self._targets = targets
        self._token = product.token
        self._over = False
        self._thread = threading.Thread(target=self._run, name="log-client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self.wake()
        self._thread.join(20)

    def sleep(self) -> None:
        """Closes the socket, as a laptop does whose lid is closed; `wake` opens another."""
        self._awake.clear()
        assert self._asleep.wait(10)

    def wake(self) -> None:
        """Goes on behind what is here."""
        self._awake.set()

    def _run(self) -> None:
        while not self._over:
            if not self._awake.is_set():
                self._asleep.set()
                self._awake.wait()
                self._asleep.clear()
            with suppress(OSError, WebSocketException, InvalidHandshake, TimeoutError):
                self._watch()
            time.sleep(0.1)

    def _watch(self) -> None:
        with self._product.socket("/ws/logs?by=message", max_size=None, close_timeout=1) as socket:
            self.opened += 1
            socket.send(json.dumps({"target": self._targets, "tail": "all", "behind": self._behind()}))
            names: list[str] = []
            while self._awake.is_set() and not self._over:
                with suppress(TimeoutError):
                    self._take(json.loads(socket.recv(0.2)), names)

    def _take(self, message: dict[str, Any], names: list[str]) -> None:
        if message["t"] == "targets":
            names[:] = [f"{target['host']}/{target['id']}" for target in message["targets"]]
        elif message["t"] == "lines":
            for place, stream, stamp, text in message["lines"]:
                self.lines[names[place]].append((stream, stamp, text))
        elif message["t"] == "state":
            self.notes[message["state"]] += 1
        else:
            self.notes[message["t"]] += 1

    def _behind(self) -> dict[str, list[Any]]:
        """The place of each log: its last line's timestamp, and how many of the lines here bear it."""
        found = {}
        for target, lines in self.lines.items():
            if lines:
                stamp = lines[-1][1]
                found[target] = [stamp, sum(line[1] == stamp for line in lines[-2000:])]
        return found
