"""SSH: the engine's socket on the other machine becomes a local unix socket in a private folder.

One SSH connection an endpoint, in one background event loop a process; host keys are pinned.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass

import asyncssh

from hosts.engine.endpoint import Endpoint, EndpointError, SSHMaterial, gettext_noop
from hosts.engine.errors import (
    EngineError,
    SshHostKeyChanged,
    SshHostKeyUnknown,
    SshKeyRefused,
    SshNoSocket,
    TimedOut,
    translate,
)

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 10


@dataclass
class _Tunnel:
    connection: asyncssh.SSHClientConnection
    folder: str

    @property
    def path(self) -> str:
        return os.path.join(self.folder, "engine.sock")


class _Tunnels:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[Endpoint, _Tunnel] = {}
        self._opening: dict[Endpoint, asyncio.Lock] = {}

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True).start()
            return self._loop

    async def get(self, endpoint: Endpoint) -> str:
        async with self._opening.setdefault(endpoint, asyncio.Lock()):
            known = self._open.get(endpoint)
            if known and not known.connection.is_closed():
                return known.path
            if known:
                self._forget(endpoint)
            tunnel = await _open(endpoint)
            self._open[endpoint] = tunnel
            return tunnel.path

    def _forget(self, endpoint: Endpoint) -> None:
        tunnel = self._open.pop(endpoint)
        tunnel.connection.abort()
        shutil.rmtree(tunnel.folder, ignore_errors=True)

    def close_all(self) -> None:
        for endpoint in list(self._open):
            self._forget(endpoint)


_tunnels = _Tunnels()
atexit.register(_tunnels.close_all)


def open_tunnel(endpoint: Endpoint, timeout: float = CONNECT_SECONDS) -> str:
    """The path of a local socket that leads to the endpoint's engine; connects when needed. Raises EngineError."""
    future = asyncio.run_coroutine_threadsafe(_tunnels.get(endpoint), _tunnels.loop())
    try:
        return future.result(timeout)
    except TimeoutError as error:
        future.cancel()
        raise TimedOut(endpoint.address, f"no SSH connection within {timeout:g} s") from error


def close_all() -> None:
    """Closes every tunnel."""
    _tunnels.close_all()


async def _open(endpoint: Endpoint) -> _Tunnel:
    parsed, material = endpoint.parsed, endpoint.ssh or SSHMaterial()
    shown: list[asyncssh.SSHKey] = []
    folder = tempfile.mkdtemp(prefix="dermaga-ssh-")
    try:
        key = read_key(material.key)
        connection = await asyncio.wait_for(
            asyncssh.connect(
                parsed.host,
                parsed.port,
                username=parsed.user,
                client_keys=[key],
                known_hosts=_matcher(material.known_hosts, shown),
                config=None,
                agent_path=None,
                preferred_auth="publickey",
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=3,
                connect_timeout=CONNECT_SECONDS,
                server_host_key_algs="default",
            ),
            CONNECT_SECONDS,
        )
        tunnel = _Tunnel(connection, folder)
        await connection.forward_local_path(tunnel.path, parsed.path)
        await _probe(connection, endpoint, parsed.path)
        return tunnel
    except asyncssh.HostKeyNotVerifiable as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise await _host_key_error(endpoint, material) from error
    except asyncssh.PermissionDenied as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise SshKeyRefused(endpoint.address, str(error)) from error
    except (OSError, asyncssh.Error) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise translate(error, endpoint) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def _probe(connection: asyncssh.SSHClientConnection, endpoint: Endpoint, path: str) -> None:
    """A forwarded socket accepts whatever is behind it: ask once whether something is."""
    try:
        _, writer = await connection.open_unix_connection(path)
        writer.close()
    except (asyncssh.ChannelOpenError, OSError) as error:
        connection.abort()
        raise SshNoSocket(endpoint.address, str(error), path=path) from error


def read_key(text: str) -> asyncssh.SSHKey:
    """The private key, or EndpointError for the field "ssh_key"."""
    try:
        return asyncssh.import_private_key(text)
    except asyncssh.KeyEncryptionError as error:
        raise EndpointError(
            "ssh_key", gettext_noop("The key has a passphrase. Give one without: ssh-keygen -p -N '' -f COPY.")
        ) from error
    except (asyncssh.KeyImportError, ValueError) as error:
        raise EndpointError("ssh_key", gettext_noop("This is not a private key as ssh-keygen writes it.")) from error


def _matcher(known_hosts: str, shown: list[asyncssh.SSHKey]) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.import_known_hosts(known_hosts + "\n")
    except ValueError as error:
        raise EndpointError(
            "ssh_known_hosts", gettext_noop("These are not known_hosts lines, as ssh-keyscan prints them.")
        ) from error


async def _host_key_error(endpoint: Endpoint, material: SSHMaterial) -> EngineError:
    """Which key the server shows, beside the known one."""
    parsed = endpoint.parsed
    got = await host_key(endpoint)
    expected, *_ = asyncssh.match_known_hosts(
        asyncssh.import_known_hosts(material.known_hosts + "\n"), parsed.host, "", parsed.port
    )
    if expected:
        names = ", ".join(key.get_fingerprint() for key in expected)
        return SshHostKeyChanged(endpoint.address, expected=names, got=got.get_fingerprint() if got else "?")
    return SshHostKeyUnknown(endpoint.address, got=got.get_fingerprint() if got else "?")


async def host_key(endpoint: Endpoint) -> asyncssh.SSHKey | None:
    """The host key that the server shows now, trusted or not."""
    parsed = endpoint.parsed
    return await asyncio.wait_for(asyncssh.get_server_host_key(parsed.host, parsed.port), CONNECT_SECONDS)
