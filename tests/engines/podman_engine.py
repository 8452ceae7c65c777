"""A real Podman service, in namespaces of its own as the Docker engines are."""

import subprocess
from pathlib import Path

from docker import APIClient, DockerClient

from tests.engines import network
from tests.engines.clean import kill_until_none, pids_inside
from tests.engines.commands import run_command, tail, wait_until
from tests.engines.probe import version_of
from tests.engines.run import Run, current

FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where root lacks CAP_SYS_RESOURCE (inside many sandboxes), Podman's own limits are refused by the kernel and a
# container starts only when the client names lower ones.
ULIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
# What Podman and runc keep outside --root and --runroot: private and gone with the service, so that two do not meet.
# Only the empty folders stay. A service listens at one address: one for each, in the same namespaces, since a container
# belongs to both.
IN_NAMESPACE = """
set -e
hostname "$1"
mount --make-rprivate /
mount --bind "$2" "$2"
for folder in /run/libpod /run/runc /run/netns /run/containers /dev/shm /var/lib/cni /var/lib/containers /etc/cni/net.d \
    /etc/containers/networks
do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
urls=$3
shift 3
for url in $urls; do "$@" "$url" & done
wait
"""
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
# of a folder with a newer one (tests.engines.newer)
UNPACKED_CONF = """
helper_binaries_dir = ["{bin_dir}/usr/lib/podman"]
[network]
firewall_driver = "iptables"
"""
# a prefix that ends before the port: every registry of the run is used without TLS, as the Docker engines do
REGISTRIES_CONF = """
[[registry]]
prefix = "{host}"
location = "{host}"
insecure = true
"""
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'


class PodmanEngine:
    """`podman system service` on a unix socket, and on plain TCP too with `tcp`; the machine's own Podman, or the one of
    `bin_dir`, a folder of unpacked Debian packages."""

    def __init__(self, name: str, *, tcp: bool = False, bin_dir: Path | None = None, run: Run | None = None) -> None:
        self.run = run or current()
        self.name = name
        self.folder = self.run.folder / name
        self.socket = str(self.folder / "podman.sock")
        self.address, self._link = self.run.next_address()
        self._tcp = tcp
        self._bin_dir = bin_dir
        self._namespace = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        if not self._tcp:
            raise ValueError(f"Engine {self.name} was made without tcp=True.")
        return f"tcp://{self.address}:2375"

    @property
    def url(self) -> str:
        """The address for clients that need neither certificate nor key."""
        return self.tcp_url if self._tcp else self.unix_url

    @property
    def log(self) -> str:
        """The last lines the service wrote."""
        return tail(self.folder / "log")

    def start(self) -> "PodmanEngine":
        """Starts the service, waits until it answers, and gives it; raises TimedOut with its log."""
        if not self._namespace:
            self.folder.mkdir()
            more = UNPACKED_CONF.format(bin_dir=self._bin_dir) if self._bin_dir else ""
            (self.folder / "containers.conf").write_text(CONTAINERS_CONF + more)
            (self.folder / "policy.json").write_text(POLICY)
            registries = REGISTRIES_CONF.format(host=network.gateway(self.run.slot))
            (self.folder / "registries.conf").write_text(registries)
            self._namespace = network.add_namespace(self.run.slot, self.name, self._link, self.address)
        self._process = self._serve()
        wait_until(self._answers, f"Podman {self.name} to answer", 60, explain=lambda: self.log)
        return self

    @property
    def _urls(self) -> list[str]:
        return [self.unix_url, *([self.tcp_url] if self._tcp else [])]

    def _serve(self) -> "subprocess.Popen[bytes]":
        state = ["--root", f"{self.folder}/data", "--runroot", f"{self.folder}/run", "--tmpdir", f"{self.folder}/tmp"]
        how = ["--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc"]
        return self.run.spawn(
            *("nsenter", f"--net={self._namespace}", "unshare", "--uts", "--mount"),
            *("sh", "-c", IN_NAMESPACE, "sh", self.name, str(self.folder), " ".join(self._urls)),
            *(f"{self._bin_dir or ''}/usr/bin/podman", *state, *how, "system", "service", "--time", "0"),
            log=self.folder / "log",
            env=self.run.environment(
                PATH=FOLDERS,
                CONTAINERS_CONF=str(self.folder / "containers.conf"),
                CONTAINERS_REGISTRIES_CONF=str(self.folder / "registries.conf"),
            ),
        )

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"Podman {self.name} ended while it started. {self.log}")
        versions = [version_of(url) for url in self._urls]
        if all(versions):
            self.run.note(f"Podman {versions[0]} ({self.url.partition(':')[0]}) as {self.name}")
        return all(versions)

    def stop(self) -> None:
        """Ends the service with its containers and deletes its data."""
        if self._namespace:
            kill_until_none(lambda: pids_inside(self.folder, Path(self._namespace)))
            network.remove_namespace(self.run.slot, self.name, self._link)
            self._namespace = ""
        if self._process is not None:
            self._process.wait()
        run_command("rm", "-rf", "--one-file-system", str(self.folder))

    def docker(self, *args: str, stdin: bytes = b"", timeout: float = 120) -> str:
        """Runs `docker ARGS` against the service; `run` and `create` get the limits that this kernel allows."""
        if args[0] in {"run", "create"}:
            args = (args[0], *ULIMITS, *args[1:])
        environment = self.run.environment(
            DOCKER_HOST=self.unix_url, DOCKER_BUILDKIT="0", DOCKER_CONFIG=str(self.run.folder / "docker-config")
        )
        return run_command("docker", *args, stdin=stdin, env=environment, timeout=timeout)

    def check_health(self, container: str) -> None:
        """Runs a container's health check, as a systemd timer does where there is systemd."""
        with APIClient(base_url=self.unix_url, version="1.41") as client:
            client.get(f"{client.base_url}/v4.0.0/libpod/containers/{container}/healthcheck").raise_for_status()

    def api(self, timeout: float = 60) -> DockerClient:
        """A docker SDK client through the unix socket; the caller closes it."""
        return DockerClient(base_url=self.unix_url, version="auto", timeout=timeout)

    @property
    def version(self) -> str:
        return self.docker("version", "--format", "{{.Server.Version}}").strip()

    def __enter__(self) -> "PodmanEngine":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
