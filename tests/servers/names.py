"""A name server that says nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def no_name_server(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Whoever asks for `name` waits for twenty seconds, as long as the block goes on."""
    real, over = socket.getaddrinfo, threading.Event()

    def asked(host: Any, *args: Any, flags: int = 0, **options: Any) -> Any:
        if host == name and not flags & socket.AI_NUMERICHOST:
            over.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
        return real(host, *args, flags=flags, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", asked)
        try:
            yield
        finally:
            over.set()
