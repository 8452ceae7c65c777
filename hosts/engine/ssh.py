"""An SSH connection to a machine with an engine: keys read, the host key pinned, a way to its socket found."""

import asyncio
import shlex
from typing import Any

import asyncssh

from hosts.engine.endpoint import DEFAULT_SOCKET, Endpoint, SSHMaterial
from hosts.engine.errors import (
    EndpointError,
    EngineError,
    NotAnEngine,
    SSHHostKeyChanged,
    SSHHostKeyUnknown,
    SSHNoSocket,
    gettext_noop,
    translate,
)

KEEPALIVE_SECONDS, KEEPALIVE_MISSES = 5, 3
PROBE_SECONDS = 5.0
ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
Channel = tuple[Any, Any]  # a reader and a writer of bytes, like asyncio's


def read_key(text: str) -> asyncssh.SSHKey:
    """The private key. Raises EndpointError for the field ssh_key."""
    try:
        return asyncssh.import_private_key(text.replace("\r\n", "\n").strip() + "\n")
    except asyncssh.KeyEncryptionError:
        reason = gettext_noop("This key is protected by a passphrase. Give one without: ssh-keygen -p -N '' -f COPY.")
    except (asyncssh.KeyImportError, ValueError):
        # asyncssh says of an encrypted OpenSSH key that a passphrase is missing by KeyImportError too
        reason = gettext_noop(
            "This is no private key as ssh-keygen writes it. Paste the whole file, without a passphrase."
        )
    raise EndpointError("ssh_key", reason)


def read_known_hosts(text: str) -> asyncssh.SSHKnownHosts:
    """The pinned keys; a line that begins with the key itself holds for every name. Raises EndpointError."""
    lines = [line.strip() for line in text.replace("\0", "").splitlines()]
    named = [f"* {line}" if line.startswith(("ssh-", "ecdsa-")) else line for line in lines if line]
    try:
        for line in named:
            if not line.startswith("#"):
                asyncssh.import_public_key(line.split(None, 2 if line.startswith("@") else 1)[-1])
        return asyncssh.import_known_hosts("\n".join([*named, ""]))
    except (asyncssh.KeyImportError, ValueError, IndexError):
        reason = gettext_noop(
            "These are no known_hosts lines as ssh-keyscan prints them. Run ssh-keyscan HOST and paste."
        )
        raise EndpointError("ssh_known_hosts", reason) from None


class _Pin(asyncssh.SSHClient):
    """Accepts the pinned host keys and nothing else; remembers what was shown."""

    def __init__(self, known: asyncssh.SSHKnownHosts) -> None:
        self.known = known
        self.shown: asyncssh.SSHKey | None = None

    def expected(self, host: str, addr: str, port: int) -> list[asyncssh.SSHKey]:
        """The pinned keys for this host that are not revoked."""
        trusted, _, revoked, *_ = asyncssh.match_known_hosts(self.known, host, addr, port)
        return [key for key in trusted if key not in revoked]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key
        return key in self.expected(host, addr, port)


async def connect_ssh(endpoint: Endpoint, seconds: float) -> asyncssh.SSHClientConnection:
    """A logged-in SSH connection within `seconds`. Raises EngineError."""
    parsed, material = endpoint.parsed, endpoint.ssh or SSHMaterial()
    key, known = read_key(material.key), read_known_hosts(material.known_hosts)
    pin = _Pin(known)
    pinned = [alg.decode() for key in pin.expected(parsed.host, "", parsed.port) for alg in key.sig_algorithms]
    try:
        async with asyncio.timeout(seconds):
            return await asyncssh.connect(
                parsed.host,
                parsed.port,
                username=parsed.user,
                client_keys=[key],
                client_factory=lambda: pin,
                known_hosts=asyncssh.import_known_hosts("\n"),  # nothing is trusted but what the pin says
                # a server with several keys is asked for the pinned kind first
                server_host_key_algs=list(dict.fromkeys([a for a in pinned if a in ALGORITHMS] + list(ALGORITHMS))),
                preferred_auth="publickey",
                config=None,
                agent_path=None,
                agent_forwarding=False,
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVE_MISSES,
                connect_timeout=seconds,
                login_timeout=seconds,
            )
    except asyncssh.HostKeyNotVerifiable as error:
        raise _host_key_error(endpoint, pin, error) from error
    except (OSError, asyncssh.Error) as error:
        cut = isinstance(error, asyncssh.ConnectionLost | ConnectionResetError | BrokenPipeError)
        if cut and pin.shown is None and not await _says_ssh(endpoint):
            raise NotAnEngine("no SSH server answers", where=endpoint.address) from error
        raise translate(error, endpoint, seconds=seconds) from error


async def _says_ssh(endpoint: Endpoint) -> bool:
    """Whether an SSH server's first words come, which it says unasked."""
    writer = None
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(endpoint.parsed.host, endpoint.parsed.port)
            return await reader.readexactly(4) == b"SSH-"
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        if writer is not None:
            writer.transport.abort()


def _host_key_error(endpoint: Endpoint, pin: _Pin, error: asyncssh.Error) -> EngineError:
    parsed, where = endpoint.parsed, endpoint.address
    if pin.shown is None:
        return SSHHostKeyUnknown(error.reason, where=where)
    name = parsed.host if parsed.port == 22 else f"[{parsed.host}]:{parsed.port}"
    got, line = pin.shown.get_fingerprint(), f"{name} {pin.shown.export_public_key().decode().split(' # ')[0].strip()}"
    expected = pin.expected(parsed.host, "", parsed.port)
    if expected:
        prints = ", ".join(key.get_fingerprint() for key in expected[:5])
        return SSHHostKeyChanged(where=where, expected=prints, got=got, line=line)
    return SSHHostKeyUnknown(where=where, got=got, line=line)


async def open_direct(connection: asyncssh.SSHClientConnection, endpoint: Endpoint) -> Channel:
    """A channel to the engine's socket, made by the other machine's sshd."""
    return await connection.open_unix_connection(endpoint.parsed.path or DEFAULT_SOCKET, encoding=None)


async def open_stdio(connection: asyncssh.SSHClientConnection, endpoint: Endpoint) -> Channel:
    """A channel to the engine's socket, made by the other machine's docker command line."""
    process = await connection.create_process(_dial(endpoint), encoding=None)
    return process.stdout, process.stdin


def _dial(endpoint: Endpoint) -> str:
    path = endpoint.parsed.path
    # without a path the other side's own DOCKER_HOST or context counts
    return f"docker -H {shlex.quote(f'unix://{path}')} system dial-stdio" if path else "docker system dial-stdio"


async def find_way(connection: asyncssh.SSHClientConnection, endpoint: Endpoint) -> Any:
    """`open_direct` or `open_stdio`, whichever leads to an engine. Raises SSHNoSocket when neither does."""
    try:
        _, writer = await open_direct(connection, endpoint)
    except asyncssh.ChannelOpenError as error:
        reason = error.reason
    else:
        writer.channel.abort()
        return open_direct
    words = await _why_not(connection, endpoint)
    if not words:
        return open_stdio
    parsed = endpoint.parsed
    raise SSHNoSocket(
        f"{reason}; {words}", where=endpoint.address, path=parsed.path or DEFAULT_SOCKET, user=parsed.user
    )


async def _why_not(connection: asyncssh.SSHClientConnection, endpoint: Endpoint) -> str:
    """What the docker command line over there says against reaching its engine; "" when it does."""
    try:
        process = await connection.create_process(_dial(endpoint), encoding=None)
    except asyncssh.ChannelOpenError as error:
        return error.reason
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            process.stdin.write(b"GET /_ping HTTP/1.0\r\n\r\n")
            head = await process.stdout.read(5)
            if head.startswith(b"HTTP/"):
                return ""
            words = (await process.stderr.read(2000)).decode("utf-8", "replace")
            return words or "docker system dial-stdio said nothing"
    except TimeoutError:
        return "docker system dial-stdio did not answer"
    except (OSError, asyncssh.Error) as error:
        return str(error)
    finally:
        process.channel.abort()
