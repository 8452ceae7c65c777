"""SSH: the engine's socket on the other machine becomes a local unix socket in a private folder.

One background event loop a process, one tunnel an endpoint. A tunnel's SSH connection is made when somebody asks for
the tunnel, and again when it died; an unused tunnel goes after a while.
"""

import asyncio
import atexit
import contextlib
import os
import select
import shutil
import socket
import tempfile
import threading
import time
from typing import Any

import asyncssh

from hosts.engine.endpoint import SOCKET_PATH_AT_MOST, Endpoint
from hosts.engine.errors import SSHNoSocket, TimedOut
from hosts.engine.ssh import Channel, connect_ssh, find_way, open_stdio, read_key, read_known_hosts

__all__ = ["close", "close_all", "join_tunnel", "open_tunnel", "read_key", "read_known_hosts"]

OPEN_SECONDS = 10.0
IDLE_SECONDS = 300.0  # a tunnel that nobody used for so long is closed
SESSIONS_AT_MOST = 10  # SSH connections for dial-stdio: sshd allows ten sessions on each
BLOCK = 64 * 1024


class Tunnel:
    """One endpoint's local socket and the SSH connection behind it. Lives in the background loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.folder = _private_folder()
        self.path = os.path.join(self.folder, "engine.sock")
        self.used = time.monotonic()
        self._server: asyncio.Server | None = None
        self._connections: list[asyncssh.SSHClientConnection] = []
        self._way: Any = None  # open_direct or open_stdio
        self._lock = asyncio.Lock()
        self._streams: set[asyncio.Task[None]] = set()

    async def ready(self, seconds: float) -> None:
        """Makes sure that the SSH connection is up and leads to an engine. Raises EngineError."""
        self.used = time.monotonic()
        async with self._lock:
            self._connections = [one for one in self._connections if not one.is_closed()]
            if not self._connections:
                await self._connect(seconds)
            if self._server is None:
                self._server = await asyncio.start_unix_server(self._serve, self.path, limit=BLOCK, backlog=1024)

    async def _connect(self, seconds: float) -> None:
        connection = await connect_ssh(self.endpoint, seconds)
        try:
            self._way = await find_way(connection, self.endpoint)
        except BaseException:
            connection.abort()
            raise
        self._connections.append(connection)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._pass_on(reader, writer))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one local connection; its end on either side, or a broken SSH connection, ends the other."""
        far: Any = None
        with contextlib.suppress(OSError, asyncssh.Error, SSHNoSocket, TimeoutError):
            try:
                far_reader, far = await self._channel()
                await _carry((reader, writer), (far_reader, far))
                writer.close()
                await writer.wait_closed()  # what our side has not read yet is still to be handed over
            finally:
                self.used = time.monotonic()
                writer.transport.abort()
                if far is not None:
                    far.channel.abort()

    async def _channel(self) -> Channel:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                return await self._open_channel()
        except TimeoutError:
            # the other side went without a word: the next one to ask connects afresh
            self.abort_connections()
            raise

    async def _open_channel(self) -> Channel:
        for connection in list(self._connections):
            try:
                return await self._way(connection, self.endpoint)
            except asyncssh.ChannelOpenError:
                if self._way is not open_stdio or len(self._connections) >= SESSIONS_AT_MOST:
                    raise
        connection = await connect_ssh(self.endpoint, OPEN_SECONDS)
        self._connections.append(connection)
        return await self._way(connection, self.endpoint)

    @property
    def is_idle(self) -> bool:
        """Whether nobody used it for a while."""
        return not self._streams and time.monotonic() - self.used > IDLE_SECONDS

    def abort_connections(self) -> None:
        """Drops the SSH connections, and with them what goes through them."""
        for connection in self._connections:
            connection.abort()
        self._connections.clear()

    def close(self) -> None:
        """Ends everything that goes through it and removes the socket."""
        if self._server is not None:
            self._server.close()
        for task in self._streams:
            task.cancel()
        self.abort_connections()
        shutil.rmtree(self.folder, ignore_errors=True)


async def _carry(near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: Channel) -> None:
    out = asyncio.create_task(_pump(near[0], far[1]))
    back = asyncio.create_task(_pump(far[0], near[1]))
    try:
        await asyncio.wait({out, back}, return_when=asyncio.FIRST_COMPLETED)
        if not back.done():
            # our side said that it writes no more; it may still read, unless it is gone altogether
            while not back.done() and not _is_gone(near[1].get_extra_info("socket")):
                await asyncio.wait({back}, timeout=1)
    finally:
        for task in (out, back):
            task.cancel()
        await asyncio.gather(out, back, return_exceptions=True)


async def _pump(reader: Any, writer: Any) -> None:
    while block := await reader.read(BLOCK):
        writer.write(block)
        await writer.drain()
    writer.write_eof()
    await writer.drain()


def _is_gone(sock: socket.socket) -> bool:
    """Whether the local peer closed both directions: then nobody reads the answer any more."""
    if sock.fileno() < 0:  # our own side closed it
        return True
    poll = select.poll()
    poll.register(sock.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def _private_folder() -> str:
    folder = tempfile.mkdtemp(prefix="dermaga-ssh-")  # mode 0700
    if len(os.path.join(folder, "engine.sock").encode()) > SOCKET_PATH_AT_MOST:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="dermaga-ssh-", dir="/tmp")
    return folder


class _Tunnels:
    """The process' tunnels and the loop that they live in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[Endpoint, Tunnel] = {}

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True).start()
                self._loop.call_soon_threadsafe(self._sweep)
            return self._loop

    async def get(self, endpoint: Endpoint, seconds: float) -> str:
        tunnel = self._open.get(endpoint)
        if tunnel is None:
            tunnel = self._open[endpoint] = Tunnel(endpoint)
        async with asyncio.timeout(seconds):
            await tunnel.ready(seconds)
        return tunnel.path

    def _sweep(self) -> None:
        for endpoint in [endpoint for endpoint, tunnel in self._open.items() if tunnel.is_idle]:
            self._open.pop(endpoint).close()
        if self._loop is not None:
            self._loop.call_later(60, self._sweep)

    async def close(self, endpoint: Endpoint | None) -> None:
        for one in [endpoint] if endpoint else list(self._open):
            tunnel = self._open.pop(one, None)
            if tunnel is not None:
                tunnel.close()

    def forget(self) -> None:
        """After a fork: the loop's thread stayed in the parent, and so do its tunnels."""
        self._lock, self._loop, self._open = threading.Lock(), None, {}

    def run_close(self, endpoint: Endpoint | None) -> None:
        if self._loop is not None:
            with contextlib.suppress(TimeoutError, RuntimeError):
                asyncio.run_coroutine_threadsafe(self.close(endpoint), self._loop).result(3)


_tunnels = _Tunnels()
os.register_at_fork(after_in_child=_tunnels.forget)


def open_tunnel(endpoint: Endpoint, timeout: float = OPEN_SECONDS) -> str:
    """The path of a local socket that leads to the endpoint's engine, within `timeout` seconds.

    Connects when there is no connection, or none that lives. Blocking: not for event loops. Raises EngineError.
    """
    future = asyncio.run_coroutine_threadsafe(_tunnels.get(endpoint, timeout), _tunnels.loop())
    try:
        return future.result(timeout + 1)
    except TimeoutError as error:
        future.cancel()
        raise TimedOut("no SSH connection", where=endpoint.address, seconds=timeout) from error


async def join_tunnel(endpoint: Endpoint, timeout: float = OPEN_SECONDS) -> str:
    """The same as `open_tunnel`, for event loops."""
    future = asyncio.run_coroutine_threadsafe(_tunnels.get(endpoint, timeout), _tunnels.loop())
    return await asyncio.wrap_future(future)


def close(endpoint: Endpoint) -> None:
    """Closes an endpoint's tunnel, if there is one."""
    _tunnels.run_close(endpoint)


@atexit.register
def close_all() -> None:
    """Closes every tunnel."""
    _tunnels.run_close(None)
