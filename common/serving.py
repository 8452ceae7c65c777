"""The ASGI server of `manage.py up` and `manage.py web`: both serve in the same way."""

import argparse
import contextlib
import gc
import os
import resource
import socket
from typing import Any

import uvicorn
from django.core.management.base import CommandError

from common.patience import PatientProtocol

FILES_AT_MOST = 65_536  # a connection is one; systems begin with 1,024
MESSAGE_AT_MOST = 4 * 1024 * 1024  # bytes of one websocket message from a browser


def add_address(parser: argparse.ArgumentParser) -> None:
    """The options `--host` and `--port`, by default HOST and PORT of the environment."""
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="port to listen on")


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


def address_of(listener: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    if shown in {"0.0.0.0", "[::]"}:
        shown = "localhost"
    return f"http://{shown}:{port}/"


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: the commands stop all parts in order."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES_AT_MOST if hard == resource.RLIM_INFINITY else min(hard, FILES_AT_MOST)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        # a hundred thousand objects that live as long as the process: to look through them for garbage again and again
        # stops every stream for 70 ms and more
        gc.collect()
        gc.freeze()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def web_server() -> Server:
    """A server that is not started yet. Websockets are not compressed: that costs a third more CPU, and hides for
    megabytes that a browser reads no more."""
    return Server(
        uvicorn.Config(
            "dashboard.asgi:application",
            log_config=None,
            http=PatientProtocol,
            proxy_headers=False,  # dashboard.asgi asks TRUSTED_PROXIES
            lifespan="on",
            ws_max_size=MESSAGE_AT_MOST,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
