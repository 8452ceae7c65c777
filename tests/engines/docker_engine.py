"""Real Docker engines, each a host of its own: network, mount and UTS namespace, address, data root."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from docker import DockerClient

from tests.engines import network
from tests.engines.certificates import Authority, Certificate
from tests.engines.clean import cgroup, kill_until_none, pids_inside
from tests.engines.commands import CommandFailed, run_command, tail, wait_until
from tests.engines.probe import version_of
from tests.engines.run import Run, current
from tests.engines.ssh_server import SSHServer

Cut = Literal["drop", "refuse", "down", "stop"]
FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Three namespaces. Network: published ports and bridges of its own. UTS: the engine's name is its host name. Mount: its
# mounts vanish with it, and /etc/docker is its own: 20.10 keeps the engine's ID in /etc/docker/key.json. Plugins'
# sockets are looked up in /run/docker whatever --exec-root says.
IN_NAMESPACE = """
set -e
hostname "$1"
mount --make-rprivate /
mkdir -p /etc/docker /run/docker
mount --bind "$2" /etc/docker
mount -t tmpfs tmpfs /run/docker
mount --make-rshared /
shift 2
exec "$@"
"""


class DockerEngine:
    """A `dockerd` on the run's bridge.

    `tcp` and `tls` exclude each other: dockerd's TLS flags hold for every TCP listener. `certificate` replaces the
    server's good certificate (an expired one, one for another name). `bin_dir` is a folder of unpacked Debian packages
    with a newer engine (see newer.py). The unix socket is always there.
    """

    def __init__(
        self,
        name: str,
        *,
        tcp: bool = False,
        tls: bool = False,
        ssh: bool = False,
        certificate: Certificate | None = None,
        args: Sequence[str] = (),
        bin_dir: Path | None = None,
        run: Run | None = None,
    ) -> None:
        if tcp and tls:
            raise ValueError("An engine listens with TLS or without, not both: make two engines.")
        self.run = run or current()
        self.name = name
        self.folder = self.run.folder / name
        self.socket = str(self.folder / "docker.sock")
        self.address, self._link = self.run.next_address()
        self.bin_dir = bin_dir
        self.authority = Authority(f"CA of {name}") if tls else None
        self.certificate = certificate
        self.client_certificate: Certificate | None = None
        self.ssh = SSHServer(self) if ssh else None
        self._tcp = tcp
        self._args = list(args)
        self._process: subprocess.Popen[bytes] | None = None
        self._namespace = ""
        self._cut: set[Cut] = set()

    # ------------------------------------------------------------ where it is
    @property
    def url(self) -> str:
        """The address for clients that need neither certificate nor key."""
        return self.tcp_url if self._tcp else self.unix_url

    @property
    def kind(self) -> str:
        """How it is reached from elsewhere: tcp, tls, ssh or unix."""
        return "tcp" if self._tcp else "tls" if self.authority else "ssh" if self.ssh else "unix"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        self._must(self._tcp, "tcp")
        return f"tcp://{self.address}:2375"

    @property
    def tls_url(self) -> str:
        """To be used with `client_certificate` (.ca, .cert, .key)."""
        self._must(self.authority, "tls")
        return f"tcp://{self.address}:2376"

    @property
    def ssh_url(self) -> str:
        """To be used with `ssh.key` and `ssh.known_hosts`. Names the socket: /var/run/docker.sock is the machine's."""
        self._must(self.ssh, "ssh")
        return f"ssh://root@{self.address}:22{self.socket}"

    @property
    def log(self) -> str:
        """The last lines dockerd wrote."""
        return tail(self.folder / "log")

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _must(self, option: object, name: str) -> None:
        if not option:
            raise ValueError(f"Engine {self.name} was made without {name}=True.")

    # ------------------------------------------------------------ its life
    def start(self) -> "DockerEngine":
        """Starts the engine, waits until it answers, and gives it; raises TimedOut with its log."""
        if not self._namespace:
            self.folder.mkdir()
            (self.folder / "etc-docker").mkdir()
            self._namespace = network.add_namespace(self.run.slot, self.name, self._link, self.address)
        self._process = self.run.spawn(
            "nsenter", f"--net={self._namespace}", "unshare", "--uts", "--mount",
            "sh", "-c", IN_NAMESPACE, "sh", self.name, str(self.folder / "etc-docker"),
            *self._command(),
            log=self.folder / "log",
            env=self.run.environment(PATH=self._path()),
        )  # fmt: skip
        wait_until(self._answers, f"engine {self.name} to answer", 60, explain=lambda: self.log)
        if self.ssh:
            self.ssh.start()
        return self

    def _path(self) -> str:
        folders = [f"{self.bin_dir}/usr/{part}" for part in ("sbin", "bin", "libexec/docker") if self.bin_dir]
        return ":".join([*folders, FOLDERS])

    def _command(self) -> list[str]:
        listen = ["-H", self.unix_url]
        if self._tcp:
            # without --tls=false a plain listener makes 20.10 wait for 16 s, and 27 and newer refuse to start
            listen += ["-H", self.tcp_url, "--tls=false"]
        if self.authority:
            listen += ["-H", self.tls_url, *self._tls_options(self.authority)]
        return [
            "dockerd",
            *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "pid"), "--cgroup-parent", f"/{cgroup(self.run.slot)}"),
            *("--insecure-registry", network.subnet(self.run.slot)),
            *listen,
            *self._args,
        ]

    def _tls_options(self, authority: Authority) -> list[str]:
        self.certificate = self.certificate or authority.server(self.address, self.name, "localhost", "127.0.0.1")
        self.client_certificate = self.client_certificate or authority.client()
        files = self.certificate.write(self.folder / "tls")
        (files / "ca.pem").write_text(authority.ca)  # whose clients are let in, whoever signed the server's own
        names = [
            "--tlscacert",
            f"{files}/ca.pem",
            "--tlscert",
            f"{files}/cert.pem",
            "--tlskey",
            f"{files}/key.pem",
        ]
        return ["--tlsverify", *names]

    def _answers(self) -> bool:
        if not self.is_running:
            raise RuntimeError(f"Engine {self.name} ended while it started. {self.log}")
        if version := version_of(self.unix_url):
            self.run.note(f"Docker {version} ({self.kind}) as {self.name}")
        return bool(version)

    def stop(self) -> None:
        """Ends the engine with its containers and deletes its data."""
        self.heal()
        if self.ssh:
            self.ssh.stop()
        if self.is_running:
            with suppress(CommandFailed, subprocess.TimeoutExpired):  # those that ignore SIGTERM would take 10 s
                if containers := self.docker("ps", "-q", timeout=20).split():
                    self.docker("rm", "-f", *containers, timeout=20)
            self._end(signal.SIGTERM)
        if self._namespace:
            # shims, proxies and containers that a dead dockerd left, sessions of sshd
            kill_until_none(lambda: pids_inside(self.folder, Path(self._namespace)))
            network.remove_namespace(self.run.slot, self.name, self._link)
            self._namespace = ""
        # containers' file systems are mounts of namespaces that have ended with their processes
        run_command("rm", "-rf", "--one-file-system", str(self.folder))

    def restart(self) -> None:
        """Stops dockerd as an upgrade does, and starts it again with the same data: its containers stop."""
        self._end(signal.SIGTERM)
        self.start()

    def kill(self) -> None:
        """SIGKILL to dockerd and its containerd, as a crash of the machine's engine; `start` brings them back."""
        self._end(signal.SIGKILL)
        file = self.folder / "exec/containerd/containerd.pid"
        if file.exists():
            # a dockerd that finds this file with a number that lives (or waits to be reaped) starts no containerd
            with suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGKILL)
            file.unlink()

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, how)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for file in ("pid", "docker.sock"):
            (self.folder / file).unlink(missing_ok=True)

    # ------------------------------------------------------------ using it
    def docker(self, *args: str, stdin: bytes = b"", timeout: float = 120) -> str:
        """Runs `docker ARGS` against this engine; gives its output, raises CommandFailed with what it said."""
        environment = self.run.environment(
            DOCKER_HOST=self.unix_url,
            DOCKER_BUILDKIT="0",  # buildx is another package
            DOCKER_CONFIG=str(self.run.folder / "docker-config"),
        )
        return run_command("docker", *args, stdin=stdin, env=environment, timeout=timeout)

    def api(self, timeout: float = 60) -> DockerClient:
        """A docker SDK client through the unix socket; the caller closes it."""
        return DockerClient(base_url=self.unix_url, version="auto", timeout=timeout)

    @property
    def version(self) -> str:
        return self.docker("version", "--format", "{{.Server.Version}}").strip()

    # ------------------------------------------------------------ cutting it off
    def cut(self, mode: Cut = "drop") -> None:
        """Cuts the engine off; other engines go on.

        drop: packets vanish (a timeout). refuse: TCP resets at once. down: its link goes down. stop: SIGSTOP, so that
        it accepts and never answers; the only one that a client of the unix socket feels.
        """
        self._cut.add(mode)
        if mode == "stop":
            os.kill(self.pid, signal.SIGSTOP)
        elif mode == "down":
            run_command("ip", "link", "set", self._link, "down")
        else:
            network.cut(self.run.slot, self.address, mode)

    def heal(self) -> None:
        """Takes back every `cut`."""
        if self._cut & {"drop", "refuse"}:
            network.heal(self.run.slot, self.address)
        if "down" in self._cut:
            run_command("ip", "link", "set", self._link, "up")
        if "stop" in self._cut and self.is_running:
            os.kill(self.pid, signal.SIGCONT)
        self._cut.clear()

    def __enter__(self) -> "DockerEngine":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
