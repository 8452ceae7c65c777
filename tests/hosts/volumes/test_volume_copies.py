"""Volumes copied on a host and to another one: all that an engine tells of files arrives, or nothing does."""

import io
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.engine.volume_helpers import HELPER_LABEL
from hosts.inventory import apply
from tests.engines.commands import run_command
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import import_busybox
from tests.engines.podman_engine import PodmanEngine
from tests.engines.slow import SlowProxy
from tests.engines.ways import AnyEngine
from tests.rows import a_host, person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

MAKE = r"""
cd /v; mkdir -p a/b empty 'odd name' proc; echo one > a/one; echo two > 'odd name/zwei ü'; ln a/one a/b/again; ln a/one z
ln -s ../a/one empty/link; ln -s /nowhere dangling; chown -h 5:6 dangling; chown 1234:4321 a/one; chmod 4750 a/one
chmod 1777 empty; mkfifo pipe; mknod null c 1 3; echo x > "$(printf 'long%0120d' 1)"
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000 2>/dev/null; head -c 300000 /dev/urandom > large
touch -d '2001-02-03 04:05:06' a/one; chown 7:8 .; chmod 2750 .
"""
TELL = r"""
cd /v; find . | sort | while read -r f; do stat -c '%n %F %a %u %g %s %h' "$f" | sed 's/directory \(.*\) [0-9]* [0-9]*$/directory \1/'; done
find . -type f | sort | while read -r f; do md5sum "$f"; done; readlink empty/link; readlink dangling; stat -c %Y a/one
ls -i a/one a/b/again z | sed 's/^ *//' | cut -d' ' -f1 | uniq | wc -l
"""
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service, as setcap writes it
FAST = 1_000_000_000  # bytes a second
SPACE = 4 * 1024 * 1024  # of the other engine's volumes


@pytest.fixture(scope="module")
def wharf(product: Product) -> Iterator[DockerEngine]:
    """Another engine, without an image and with little space for volumes, a host of the product."""
    engine = DockerEngine("wharf", tcp=True)
    with engine:
        place = engine.folder / "data" / "volumes"
        inside = ["nsenter", f"--target={engine.pid}", "--mount", "mount"]
        subprocess.run([*inside, "-t", "tmpfs", "-o", f"size={SPACE}", "tmpfs", str(place)], check=True)
        product.api("hosts", "POST", name="wharf", url=engine.url)
        until(lambda: product.api("hosts/wharf")["state"] == "online", "it is online")
        yield engine
        product.api("hosts/wharf", "DELETE")


@pytest.fixture
def cargo(docker_engine: DockerEngine, product: Product) -> Iterator[str]:
    """A volume with everything in it."""
    name = f"cargo-{uuid4().hex[:8]}"
    docker_engine.docker("volume", "create", "--label", "team=web", "--label", "com.docker.compose.project=shop", name)
    docker_engine.docker("run", "--rm", "-v", f"{name}:/v", "busybox", "sh", "-c", MAKE)
    until(lambda: product.api(f"volumes?host=local&search={name}")["count"], "it is in the table")
    yield name
    for volume in docker_engine.docker("volume", "ls", "-q", "--filter", f"name={name}").split():
        docker_engine.docker("volume", "rm", volume)  # also proves that no helper holds it


def tell(engine: AnyEngine, volume: str) -> str:
    return engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "sh", "-c", TELL)


def helpers(engine: AnyEngine) -> list[str]:
    return engine.docker("ps", "-aq", "--filter", f"label={HELPER_LABEL}=job").split()


def volumes(engine: AnyEngine) -> set[str]:
    return set(engine.docker("volume", "ls", "-q").split())


def place_of(engine: AnyEngine, volume: str) -> Path:
    return Path(engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume).strip())


def copied(product: Product, volume: str, name: str, *, to: str, host: str = "local", **more: Any) -> dict[str, Any]:
    """The job, once it has ended."""
    answer = product.api(f"volumes/{host}/{volume}/copy", "POST", name=name, to=to, **more)
    return ended(product, answer["job"])


def test_a_clone_has_everything(product: Product, docker_engine: DockerEngine, cargo: str, run: Any) -> None:
    user = run("sleep 300", "-v", f"{cargo}:/data", "--stop-timeout", "0")
    until(lambda: product.api(f"containers?search={user}&state=running")["count"], "it runs in the table")
    os.setxattr(place_of(docker_engine, cargo) / "large", "security.capability", CAPABILITY)
    dialog = product.http.get(f"{product.url}/volumes/local/{cargo}/copy/").text
    assert f'value="{cargo}-copy"' in dialog and user in dialog
    answer = product.post(f"/volumes/local/{cargo}/copy/", to="local", name=f"{cargo}-copy", stop="1")
    job = ended(product, int(answer.url.rstrip("/").rpartition("/")[2]))
    assert job["state"] == "done", job["error"]
    assert tell(docker_engine, f"{cargo}-copy") == tell(docker_engine, cargo)
    assert os.getxattr(place_of(docker_engine, f"{cargo}-copy") / "large", "security.capability") == CAPABILITY
    assert product.api(f"volumes/local/{cargo}-copy")["labels"] == {"team": "web"}  # it is not of that project
    assert job["result"]["bytes"] > 1_300_000 and job["result"]["entries"] == 17 and helpers(docker_engine) == []
    log = product.http.get(f"{product.url}/jobs/{job['id']}/log/").text
    assert f"Stopped {user}." in log and f"Started {user} again on local." in log and "17 entries" in log
    assert docker_engine.docker("inspect", "-f", "{{.State.Running}}", user).strip() == "true"
    again = product.post(f"/volumes/local/{cargo}/copy/", to="local", name=f"{cargo}-copy")
    assert again.status_code == 422 and "There is a volume called" in again.text and "copy-name-error" in again.text


def test_a_volume_goes_to_a_host_without_any_image_and_leaves_none_there(
    product: Product, docker_engine: DockerEngine, wharf: DockerEngine, cargo: str
) -> None:
    job = copied(product, cargo, cargo, to="wharf")
    assert job["state"] == "done", job["error"]
    assert helpers(wharf) == [] and wharf.docker("images", "-aq") == ""
    assert product.api(f"volumes/wharf/{cargo}")["labels"] == {"team": "web", "com.docker.compose.project": "shop"}
    import_busybox(wharf)
    assert tell(wharf, cargo) == tell(docker_engine, cargo)
    wharf.docker("rmi", "-f", *wharf.docker("images", "-q").split())
    wharf.docker("volume", "rm", cargo)


def test_too_little_space_is_said_and_nothing_stays(
    product: Product, docker_engine: DockerEngine, wharf: DockerEngine, cargo: str
) -> None:
    docker_engine.docker(
        "run", "--rm", "-v", f"{cargo}:/v", "busybox", "sh", "-c", f"head -c {2 * SPACE} /dev/urandom > /v/huge"
    )
    job = copied(product, cargo, "too-much", to="wharf")
    assert job["state"] == "failed" and "has no space left on its disk" in job["error"], job
    assert "too-much" not in volumes(wharf) and helpers(wharf) == [] and wharf.docker("images", "-aq") == ""


NO_TAR = """#include <string.h>
#include <unistd.h>
int main(int n, char **words) { if (n > 2 && strstr(words[2], "command -v")) return 127; for (;;) pause(); }"""


def without_tar(engine: PodmanEngine, folder: Path) -> list[str]:
    """Images that are tried before busybox, since they are smaller: three with nothing, one with a shell and no tar."""
    (folder / "sh.c").write_text(NO_TAR)
    run_command("gcc", "-static", "-Os", "-s", "-o", str(folder / "sh"), str(folder / "sh.c"))
    names = [f"no-tar-{number}" for number in range(4)]
    for number, name in enumerate(names):
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            tar.add(folder / ("sh" if number == 3 else "sh.c"), "bin/sh" if number == 3 else f"nothing{number}")
        engine.docker("import", "-c", "ENV PATH=/bin", "-", name, stdin=content.getvalue())
    return names


def test_podman_without_tar_says_what_it_needs(product: Product, podman_engine: PodmanEngine, tmp_path: Path) -> None:
    product.api("hosts", "POST", name="raft-bare", url=podman_engine.url)
    names = without_tar(podman_engine, tmp_path)
    podman_engine.docker("volume", "create", "bare")
    try:
        until(lambda: product.api("images?host=raft-bare&search=no-tar")["count"] == 4, "its images are in the table")
        until(lambda: product.api("volumes?host=raft-bare&search=bare")["count"], "the volume is in the table")
        job = copied(product, "bare", "bare-copy", to="local", host="raft-bare")
        assert job["state"] == "failed"
        assert "raft-bare runs Podman, whose archives do not tell owners of files" in job["error"]
        assert "Pull a small one that does, such as busybox, and start this again." in job["error"]
        assert helpers(podman_engine) == []
        until(lambda: not product.api("volumes?host=local&search=bare-copy")["count"], "the half made copy is gone")
        podman_engine.docker("rmi", "-f", *names)
        until(lambda: product.api("images?host=raft-bare&search=no-tar")["count"] == 0, "they are gone")
        assert copied(product, "bare", "bare-copy", to="local", host="raft-bare")["state"] == "done"
    finally:
        there = podman_engine.docker("images", "--format", "{{.Repository}}").split()
        if left := [name for name in there if "no-tar" in name]:
            podman_engine.docker("rmi", "-f", *left)
        podman_engine.docker("volume", "rm", "-f", "bare")
        product.api("hosts/raft-bare", "DELETE")


def test_podman_gives_and_takes(
    product: Product, podman_engine: PodmanEngine, docker_engine: DockerEngine, cargo: str
) -> None:
    product.api("hosts", "POST", name="raft-copy", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/raft-copy")["state"] == "online", "it is online")
        until(lambda: product.api("images?host=raft-copy&search=busybox")["count"], "its images are in the table")
        job = copied(product, cargo, cargo, to="raft-copy")
        assert job["state"] == "done", job["error"]
        assert tell(podman_engine, cargo) == tell(docker_engine, cargo)
        until(lambda: product.api(f"volumes?host=raft-copy&search={cargo}")["count"], "it is in the table")
        job = copied(product, cargo, f"{cargo}-back", to="local", host="raft-copy")
        assert job["state"] == "done", job["error"]
        assert tell(docker_engine, f"{cargo}-back") == tell(docker_engine, cargo)
        assert helpers(podman_engine) == [] and helpers(docker_engine) == []
    finally:
        podman_engine.docker("volume", "rm", "-f", cargo)
        product.api("hosts/raft-copy", "DELETE")


@pytest.fixture
def slow(docker_engine: DockerEngine) -> Iterator[SlowProxy]:
    """The way to the engine, which can be made slow or cut."""
    host, port = docker_engine.url.removeprefix("tcp://").split(":")
    with SlowProxy("127.0.0.1", int(port), FAST, to=host) as proxy:
        yield proxy


@pytest.fixture
def mortal(slow: SlowProxy) -> Iterator[Product]:
    """A product of its own, which is killed."""
    with Product(f"tcp://{slow.address}") as product:
        yield product


def test_what_a_cancelled_a_cut_off_and_a_killed_job_held_is_put_back(
    docker_engine: DockerEngine, slow: SlowProxy, mortal: Product, cargo: str, run: Any
) -> None:
    user = run("sleep 300", "-v", f"{cargo}:/data", "--stop-timeout", "0")
    until(lambda: mortal.api(f"volumes?search={cargo}")["count"], "the volume is in the table")
    before = volumes(docker_engine)

    def runs() -> bool:
        return docker_engine.docker("inspect", "-f", "{{.State.Running}}", user).strip() == "true"

    def is_as_before() -> bool:
        return runs() and volumes(docker_engine) == before and not helpers(docker_engine)

    def start(name: str) -> int:
        slow.bytes_per_second = 200_000
        job = int(mortal.api(f"volumes/local/{cargo}/copy", "POST", name=name, stop=True)["job"])
        until(lambda: "sent" in mortal.api(f"jobs/{job}")["message"], "it is under way")
        assert not runs() and name in volumes(docker_engine) and len(helpers(docker_engine)) == 2
        return job

    job = start("cargo-cancelled")
    slow.bytes_per_second = FAST // 1000  # so slow that it is not done at once
    mortal.api(f"jobs/{job}/cancel", "POST")
    until(lambda: mortal.api(f"jobs/{job}")["state"] == "cancelled", "it is cancelled", 5)
    assert is_as_before() or mortal.api(f"jobs/{job}")["left"]  # a slow engine: it is said, and done later
    until(is_as_before, "all is put back", 40)

    job = start("cargo-cut")
    slow.cut()
    failed = ended(mortal, job)
    assert failed["state"] == "failed" and "was lost" in failed["error"], failed
    assert is_as_before() and failed["left"] == []

    job = start("cargo-killed")
    for process in mortal.processes.values():
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    slow.bytes_per_second = FAST
    assert not is_as_before()
    mortal.start()
    until(is_as_before, "all is put back", 40)
    until(lambda: len(mortal.api(f"jobs/{job}")["left"]) == 4, "it is said")
    told = mortal.api(f"jobs/{job}")
    assert told["state"] == "interrupted"
    assert told["left"][0] == f"Started {user} again on local."  # first what people miss
    assert told["left"][-1] == "Removed the half filled volume cargo-killed from local."


# ---------------------------------------------------------------- who and what is refused
@pytest.mark.django_db
def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(client: Client) -> None:
    host = a_host()
    off = a_host("fra-2")
    type(off).objects.filter(pk=off.pk).update(enabled=False)
    row = parse.volume_row({"Name": "cargo", "Driver": "local"})
    assert row is not None
    apply.apply_rows(host, "volume", [row])
    client.force_login(person("olga", "deployer"))
    for to, name, field, words in (
        ("quay", "-x", "copy-name-error", "has 2 to 255 letters"),
        ("quay", "cargo", "copy-name-error", "There is a volume called cargo on quay already"),
        ("nowhere", "cargo-2", "copy-to-error", "There is no such host"),
        ("fra-2", "cargo-2", "copy-to-error", "There is no such host"),
    ):
        page = client.post("/volumes/quay/cargo/copy/", {"to": to, "name": name})
        assert page.status_code == 422
        assert words in page.content.decode() and field in page.content.decode()
        assert f'value="{name}"' in page.content.decode()
    answer = client.post("/api/v1/volumes/quay/cargo/copy", {"name": "cargo"}, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "name")
    assert client.get("/volumes/quay/none/copy/").status_code == 404


@pytest.mark.django_db
def test_a_viewer_copies_nothing(client: Client) -> None:
    row = parse.volume_row({"Name": "cargo", "Driver": "local"})
    assert row is not None
    apply.apply_rows(a_host(), "volume", [row])
    client.force_login(person("vera", "viewer"))
    assert client.get("/volumes/quay/cargo/copy/").status_code == 403
    body = {"name": "cargo-2"}
    assert client.post("/api/v1/volumes/quay/cargo/copy", body, content_type="application/json").status_code == 403
