"""An OpenSSH server on an engine's own address, for engines reached over SSH."""

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tests.engines import network
from tests.engines.commands import run_command, tail, wait_until
from tests.engines.run import Run

CONFIG = """
ListenAddress {address}:22
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
MaxStartups 100
MaxSessions 100
SetEnv DOCKER_HOST=unix://{socket}
"""


class Host(Protocol):
    """What an SSH server is for: an engine with an address and a network namespace."""

    run: Run
    name: str
    folder: Path
    address: str
    socket: str


class SSHServer:
    """Lets root in with `key` (OpenSSH text). `known_hosts` is the line that pins the server's key."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.folder = host.folder / "ssh"
        self.key = ""
        self.other_key = ""  # a key that is not let in
        self.known_hosts = ""

    def start(self) -> None:
        """Starts sshd; keys are made once, and stay over restarts."""
        if not self.folder.exists():
            self._make_files()
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's privilege separation wants it
        if self.is_listening():
            return
        space = network.NAMESPACES / network.namespace(self.host.run.slot, self.host.name)
        self.host.run.spawn(
            "nsenter", f"--net={space}", "/usr/sbin/sshd", "-D", "-e", "-f", f"{self.folder}/sshd_config",
            log=self.folder / "log",
        )  # fmt: skip
        wait_until(self.is_listening, "sshd to listen", 20, explain=lambda: tail(self.folder / "log"))

    def stop(self) -> None:
        """Ends sshd and its sessions' parents."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "pid").read_text()), signal.SIGTERM)

    def change_host_key(self) -> None:
        """Gives the server another key, as a reinstalled or a false machine has; `known_hosts` stays the old one."""
        self.stop()
        wait_until(lambda: not self.is_listening(), "sshd to end")
        (self.folder / "host").unlink()
        (self.folder / "host.pub").unlink()
        keygen(self.folder / "host")
        self.start()

    def is_listening(self) -> bool:
        with suppress(OSError), socket.create_connection((self.host.address, 22), timeout=1):
            return True
        return False

    def _make_files(self) -> None:
        self.folder.mkdir(parents=True)
        self.key = keygen(self.folder / "key")
        self.other_key = keygen(self.folder / "other")
        keygen(self.folder / "host")
        public = (self.folder / "host.pub").read_text().split()
        self.known_hosts = f"{self.host.address} {public[0]} {public[1]}\n"
        allowed = self.folder / "authorized_keys"
        allowed.write_text((self.folder / "key.pub").read_text())
        allowed.chmod(0o600)
        config = CONFIG.format(address=self.host.address, folder=self.folder, socket=self.host.socket)
        (self.folder / "sshd_config").write_text(config)


def keygen(path: Path) -> str:
    """Makes an ed25519 key pair at `path`; gives the private key's text."""
    run_command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    return path.read_text()
