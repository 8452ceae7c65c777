"""Jobs as a person watches them: a form is sent, and the job that its page shows is heard through its socket."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.servers.product import Product

OPEN = {"queued", "running"}


class Watched:
    """A job through its socket: `messages` so far."""

    def __init__(self, product: Product, job: int) -> None:
        self.job = job
        self.messages: list[dict[str, Any]] = []
        self._socket = product.websocket(f"/ws/jobs/{job}")

    def until(self, condition: Callable[[dict[str, Any]], Any], seconds: float = 30) -> dict[str, Any]:
        """Reads until a message fits."""
        end = time.monotonic() + seconds
        while True:
            message = json.loads(self._socket.recv(end - time.monotonic()))
            self.messages.append(message)
            if condition(message):
                return message

    def end(self, seconds: float = 30) -> dict[str, Any]:
        """Reads until the job is over."""
        return self.until(lambda message: message["state"] not in OPEN, seconds)

    @property
    def log(self) -> list[str]:
        return [line for message in self.messages for line in message["log"]]

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def send(product: Product, path: str, **fields: Any) -> int:
    """Sends a form that starts a job; the job that its page shows."""
    answer = product.post(path, **fields)
    found = re.fullmatch(rf"{product.url}/jobs/(\d+)/", answer.url)
    assert answer.ok and found, f"{answer.status_code} {answer.url}"
    return int(found[1])
