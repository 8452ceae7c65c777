"""The harness itself: engines are hosts of their own, can be cut off, and leave nothing behind, killed or not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from docker import APIClient
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig

from tests.engines import clean, install, network
from tests.engines.certificates import Authority, Certificate
from tests.engines.commands import CommandFailed, run_command, wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import BUILDS, make_layered
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import PASSWORD, USER, Registry
from tests.engines.run import PROJECT, claim_slot, current, release
from tests.engines.ssh_server import SSHServer


def sdk(url: str, *, tls: TLSConfig | bool = False, timeout: float = 3) -> APIClient:
    client = APIClient(base_url=url, version="1.41", tls=tls, timeout=timeout)
    client.trust_env = False  # REQUESTS_CA_BUNDLE would replace the engine's CA
    return client


def trusting(certificate: Certificate, folder: Path, ca: str = "") -> TLSConfig:
    files = certificate.write(folder)
    if ca:
        (files / "ca.pem").write_text(ca)
    pair = (str(files / "cert.pem"), str(files / "key.pem"))
    return TLSConfig(client_cert=pair, ca_cert=str(files / "ca.pem"), verify=True)


# ---------------------------------------------------------------- engines
def test_each_engine_is_a_host_of_its_own(docker_engine: DockerEngine, tls_engine: DockerEngine) -> None:
    one, other = docker_engine.api().info(), tls_engine.api().info()
    assert (one["Name"], other["Name"]) == (docker_engine.name, tls_engine.name)
    assert one["ID"] != other["ID"]
    bodies = []
    for engine in (docker_engine, tls_engine):
        engine.docker("run", "-d", "--name", "published", "-p", "8080:8080", "dermaga/web")
        wait_until(partial(reached, f"http://{engine.address}:8080/"), "the published port")
        bodies.append(requests.get(f"http://{engine.address}:8080/", timeout=3).text)
        engine.docker("rm", "-f", "published")
    assert bodies == ["hello\n", "hello\n"]


def reached(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def test_images_are_on_every_engine(docker_engine: DockerEngine, tls_engine: DockerEngine) -> None:
    for engine in (docker_engine, tls_engine):
        names = engine.docker("images", "--format", "{{.Repository}}").split()
        assert {"busybox", *BUILDS} <= set(names)


def test_a_web_container_turns_unhealthy_when_its_file_goes(docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--name", "ill", "dermaga/web")
    health = ("inspect", "-f", "{{.State.Health.Status}}", "ill")
    wait_until(lambda: docker_engine.docker(*health).strip() == "healthy", "health")
    docker_engine.docker("exec", "ill", "rm", "/healthy")
    wait_until(lambda: docker_engine.docker(*health).strip() == "unhealthy", "illness")
    docker_engine.docker("rm", "-f", "ill")


def test_noise_has_what_a_log_view_must_cope_with(docker_engine: DockerEngine) -> None:
    noise = docker_engine.docker("run", "--rm", "-e", "NOISE_ROUNDS=1", "-e", "NOISE_LONG=1", "dermaga/noise")
    assert "\x1b[32mINFO" in noise and '{"level":"error"' in noise and "\rprogress 50%" in noise
    assert max(len(line) for line in noise.splitlines()) == 1_000_000


def test_a_crash_exits_with_its_code(docker_engine: DockerEngine) -> None:
    with pytest.raises(CommandFailed) as failed:
        docker_engine.docker("run", "--rm", "-e", "EXIT=7", "dermaga/crash")
    assert failed.value.code == 7


@pytest.mark.parametrize("mode", ["drop", "refuse", "down", "stop"])
def test_one_engine_is_cut_off_and_the_other_is_not(
    mode: str, docker_engine: DockerEngine, tls_engine: DockerEngine
) -> None:
    docker_engine.cut(mode)  # type: ignore[arg-type]
    try:
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            sdk(docker_engine.tcp_url, timeout=1).ping()
        assert sdk(tls_engine.unix_url).ping()
    finally:
        docker_engine.heal()
    wait_until(lambda: sdk(docker_engine.tcp_url).ping(), "the healed engine", 10)


def test_an_engine_comes_back_after_a_restart_and_after_a_kill() -> None:
    with DockerEngine("phoenix", tcp=True) as engine:
        engine.docker("volume", "create", "kept")
        engine.restart()
        assert "kept" in engine.docker("volume", "ls")
        engine.kill()
        with pytest.raises(requests.ConnectionError):
            sdk(engine.tcp_url).ping()
        engine.start()
        assert "kept" in engine.docker("volume", "ls")


# ---------------------------------------------------------------- TLS
def test_a_client_with_the_right_certificate_gets_in(tls_engine: DockerEngine, tmp_path: Path) -> None:
    assert tls_engine.client_certificate
    assert sdk(tls_engine.tls_url, tls=trusting(tls_engine.client_certificate, tmp_path)).ping()


def test_a_client_trusts_its_ca_and_no_other(tls_engine: DockerEngine, tmp_path: Path) -> None:
    assert tls_engine.client_certificate
    config = trusting(tls_engine.client_certificate, tmp_path, Authority("other").ca)
    with pytest.raises(requests.exceptions.SSLError, match="unable to get local issuer certificate"):
        sdk(tls_engine.tls_url, tls=config).ping()


def test_client_certificates_are_refused_for_their_reasons(tls_engine: DockerEngine, tmp_path: Path) -> None:
    assert tls_engine.authority
    refused = {
        "signed by unknown authority": Authority("other").client(),
        "certificate has expired": tls_engine.authority.client(expired=True),
        "incompatible key usage": tls_engine.authority.client(for_servers=True),
    }
    for number, (reason, certificate) in enumerate(refused.items()):
        config = trusting(certificate, tmp_path / str(number), tls_engine.authority.ca)
        # the client hears one alert for all of them, or only an end of file: the reason is in the engine's log
        with pytest.raises((requests.exceptions.SSLError, requests.ConnectionError)):
            sdk(tls_engine.tls_url, tls=config).ping()
        wait_until(partial(is_logged, tls_engine, reason), reason, 5, explain=lambda: tls_engine.log)


def is_logged(engine: DockerEngine, words: str) -> bool:
    return words in engine.log


@pytest.mark.parametrize(
    ("names", "expired", "reason"),
    [(["elsewhere.example"], False, "mismatch|doesn't match"), ([], True, "certificate has expired")],
)
def test_a_server_may_have_a_bad_certificate(names: list[str], expired: bool, reason: str, tmp_path: Path) -> None:
    engine = DockerEngine("rotten", tls=True)
    assert engine.authority
    engine.certificate = engine.authority.server(*(names or [engine.address]), expired=expired)
    with engine:
        assert engine.client_certificate
        with pytest.raises(requests.exceptions.SSLError, match=reason):
            sdk(engine.tls_url, tls=trusting(engine.client_certificate, tmp_path)).ping()


# ---------------------------------------------------------------- SSH
def ssh(engine: DockerEngine, key: str, folder: Path) -> str:
    """Asks the engine's version through `docker system dial-stdio`'s way in: a shell on the host."""
    server = engine.ssh
    assert isinstance(server, SSHServer)
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_text(key)
    (folder / "known_hosts").write_text(server.known_hosts)
    options = ("-F", "none", "-i", f"{folder}/key", "-o", f"UserKnownHostsFile={folder}/known_hosts")
    never_ask = ("-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes")
    return run_command(
        "ssh", *options, *never_ask, f"root@{engine.address}", "docker", "version", "-f", "{{.Server.Version}}"
    )


def test_ssh_lets_the_right_key_in_and_no_other(ssh_engine: DockerEngine, tmp_path: Path) -> None:
    assert ssh_engine.ssh
    assert ssh(ssh_engine, ssh_engine.ssh.key, tmp_path).strip() == ssh_engine.version
    with pytest.raises(CommandFailed, match="Permission denied"):
        ssh(ssh_engine, ssh_engine.ssh.other_key, tmp_path)


def test_an_ssh_server_may_change_its_key(tmp_path: Path) -> None:
    with DockerEngine("changeling", ssh=True) as engine:
        assert engine.ssh
        engine.ssh.change_host_key()
        with pytest.raises(CommandFailed, match="HOST IDENTIFICATION HAS CHANGED"):
            ssh(engine, engine.ssh.key, tmp_path)


# ---------------------------------------------------------------- newer Docker, Podman, registry
def test_a_newer_engine_runs_beside_the_machines_own(newer_engine: DockerEngine, docker_engine: DockerEngine) -> None:
    versions = [engine.docker("version", "-f", "{{.Server.APIVersion}}") for engine in (docker_engine, newer_engine)]
    one, other = (tuple(map(int, version.split("."))) for version in versions)
    assert one < other
    newer_engine.docker("run", "-d", "--name", "new", "dermaga/web")
    assert "healthy" in newer_engine.docker("exec", "new", "ls", "/")  # its own file system, not this machine's
    newer_engine.docker("rm", "-f", "new")


def test_podman_runs_a_container(podman_engine: PodmanEngine) -> None:
    assert sdk(podman_engine.tcp_url).version()["Components"][0]["Name"] == "Podman Engine"
    podman_engine.docker("run", "-d", "--name", "afloat", "localhost/dermaga/talk")
    wait_until(lambda: "line 1" in podman_engine.docker("logs", "afloat"), "a line of its log")
    podman_engine.docker("rm", "-f", "afloat")


def test_a_registry_with_login_refuses_others(docker_engine: DockerEngine, locked_registry: Registry) -> None:
    reference = locked_registry.push(docker_engine, "dermaga/web")
    client = docker_engine.api().api
    with pytest.raises(APIError, match="no basic auth credentials"):
        client.pull(reference, tag="latest", auth_config={})
    client.pull(reference, tag="latest", auth_config={"username": USER, "password": PASSWORD})
    assert docker_engine.docker("images", "-q", reference).strip()
    docker_engine.docker("rmi", reference)


def test_a_slow_registry_shows_a_pulls_progress(docker_engine: DockerEngine, registry: Registry) -> None:
    image = make_layered(docker_engine, layers=3, megabytes=1)
    registry.push(docker_engine, image)
    docker_engine.docker("rmi", image)
    with registry.slow(2_000_000) as slow:
        reference = f"{slow.address}/{image}"
        messages = docker_engine.api().api.pull(reference, tag="latest", stream=True, decode=True)
        steps = {(m["id"], m["progressDetail"]["current"]) for m in messages if m["status"] == "Downloading"}
        assert len({layer for layer, _ in steps}) == 3
        assert len(steps) > 6
        docker_engine.docker("rmi", f"{reference}:latest")


# ---------------------------------------------------------------- installing, cleaning up
def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED", {"no-such-package": ["no-such-command"]})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"need these Debian packages: no-such-package\. Install them as root"):
        install.install()


def test_nothing_is_installed_when_all_is_there() -> None:
    assert install.missing() == []
    assert install.install() == []


LIFE = """
import sys
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import import_busybox
from tests.engines.podman_engine import PodmanEngine
from tests.servers.postgres import PostgresServer
from tests.servers.redis_server import RedisServer
engine, pod = DockerEngine("mortal", tcp=True, ssh=True).start(), PodmanEngine("mortal-pod").start()
for each in (engine, pod):
    import_busybox(each)
    each.docker("run", "-d", "-p", "9000:9000", "busybox", "sh", "-c", "trap '' TERM; sleep 1000")
PostgresServer().start(), RedisServer().start()
engine.cut("drop"), engine.cut("stop")
print(engine.run.slot, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def victim() -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A run of its own with everything in it, and its number."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIFE], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdin
    slot = int(process.stdout.readline() or "-1")
    yield process, slot
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def what_is_left(slot: int) -> dict[str, object]:
    """Everything of a run that is on this machine; all values are empty when nothing is."""
    return {
        "processes": clean.pids_of(slot),
        "rules": network.rules(slot),
        "namespaces": network.namespaces(slot),
        "links": network.links(slot),
        "mounts": clean.mounts_below(clean.folder(slot)),
        "cgroups": clean.cgroup_folders(slot),
        "folder": [path for path in [clean.folder(slot), clean.lock_file(slot)] if path.exists()],
    }


def test_a_run_that_is_killed_leaves_nothing_behind(victim: tuple["subprocess.Popen[str]", int]) -> None:
    process, slot = victim
    before = what_is_left(slot)
    assert all(before[kind] for kind in ("processes", "rules", "namespaces", "links", "cgroups", "folder")), before
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(
        lambda: not any(what_is_left(slot).values()), "the watchdog", 40, explain=lambda: str(what_is_left(slot))
    )


def test_a_run_whose_watchdog_is_killed_too_is_cleaned_by_the_next(
    victim: tuple["subprocess.Popen[str]", int],
) -> None:
    process, slot = victim
    for pid in (watchdog_of(process.pid), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert what_is_left(slot)["processes"]
    lock = claim_slot()
    left = what_is_left(slot)
    taken = lock.name == str(clean.lock_file(slot))
    release(lock)
    assert not any(value for kind, value in left.items() if not (taken and kind == "folder")), left


def watchdog_of(pid: int) -> int:
    children = [child for child in Path("/proc").iterdir() if child.name.isdigit()]
    for child in children:
        if clean.parent_of(int(child.name)) == pid and b"tests.engines.watchdog" in (child / "cmdline").read_bytes():
            return int(child.name)
    raise AssertionError(f"Process {pid} has no watchdog.")


def test_two_runs_live_side_by_side(victim: tuple["subprocess.Popen[str]", int], docker_engine: DockerEngine) -> None:
    _, slot = victim
    assert slot not in {-1, current().slot}
    assert sdk(docker_engine.tcp_url).ping()


def test_a_stopped_engine_leaves_nothing_behind() -> None:
    engine = DockerEngine("brief").start()
    engine.docker("import", "-", "empty", stdin=b"\0" * 10240)
    folder, space = engine.folder, network.namespace(engine.run.slot, "brief")
    engine.stop()
    assert not folder.exists()
    assert space not in [path.name for path in network.namespaces(engine.run.slot)]
    with pytest.raises(DockerException):
        engine.api()
