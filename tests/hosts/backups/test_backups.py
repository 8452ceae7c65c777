"""Backups of volumes in a folder: made, downloaded, checked, restored and removed on real engines."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.run import current
from tests.engines.slow import SlowProxy
from tests.hosts.backups import cargo
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until


@pytest.fixture(scope="module")
def folder() -> Path:
    return current().folder / "backups"


@pytest.fixture(scope="module")
def shed(product: Product, folder: Path) -> Iterator[str]:
    """A destination in the allowed folder, made on its page."""
    (folder / "shed").mkdir()
    typed: dict[str, Any] = {"name": "shed", "kind": "folder", "folder": f"{folder}/shed/"}
    tried = product.post("/backups/destinations/add/", **typed, test="1")
    assert "A file was written to shed, read and removed." in tried.text and list((folder / "shed").iterdir()) == []
    assert "Stored shed." in product.post("/backups/destinations/add/", **typed).text
    yield "shed"
    for backup in product.api("backups?destination=shed")["items"]:
        cargo.done(product, "backups/remove", backups=[backup["id"]])
    product.api("destinations/shed", "DELETE")


@pytest.fixture(scope="module")
def volume(docker_engine: DockerEngine, product: Product) -> Iterator[str]:
    yield cargo.fill(docker_engine, "cargo")
    for name in docker_engine.docker("volume", "ls", "-q", "--filter", "name=cargo").split():
        docker_engine.docker("volume", "rm", "-f", name)


@pytest.fixture(scope="module")
def backup(product: Product, volume: str, shed: str) -> dict[str, Any]:
    cargo.known(product, volume)
    made = cargo.done(product, f"volumes/local/{volume}/backup", destination=shed)
    return dict(product.api(f"backups/{made['backup']}"))


def files(folder: Path) -> list[Path]:
    return [place for place in folder.rglob("*") if place.is_file()]


@pytest.mark.core
def test_a_backup_has_everything_and_stopped_containers_start_again(
    product: Product, docker_engine: DockerEngine, volume: str, shed: str, folder: Path, run: Any
) -> None:
    place = Path(docker_engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume).strip())
    capability = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service, as setcap writes it
    os.setxattr(place / "large", "security.capability", capability)
    box = run("trap exit TERM; sleep 300 & wait", "-v", f"{volume}:/data")
    before = docker_engine.docker("inspect", "-f", "{{.State.StartedAt}}", box)
    cargo.known(product, volume)
    until(
        lambda: box in product.http.get(f"{product.url}/volumes/local/{volume}/backup/").text, "the form names the user"
    )
    answer = product.post(f"/volumes/local/{volume}/backup/", destination=shed, stop="1")
    job = ended(product, cargo.job_of(answer))
    assert job["state"] == "done", job
    running, after = docker_engine.docker("inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", box).split()
    assert running == "true" and after != before.strip()
    told = product.api(f"backups/{job['result']['backup']}")
    content = (folder / "shed" / told["key"]).read_bytes()
    assert (told["bytes"], told["sha256"]) == (len(content), cargo.sha256(content))
    assert (told["volume"], told["by"], told["entries"]) == (volume, "admin", 13)
    inside = cargo.names(content)
    assert (inside["."].uid, inside["."].mode) == (7, 0o2750) and inside["./a/one"].islnk() ^ inside[
        "./a/b/again"
    ].islnk()
    made = cargo.done(product, f"backups/{told['id']}/restore", volume="cargo-again")
    assert made["files"] == 13
    assert cargo.tell(docker_engine, "cargo-again") == cargo.tell(docker_engine, volume)
    copy = Path(docker_engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "cargo-again").strip())
    assert os.getxattr(copy / "large", "security.capability") == capability
    assert product.api("volumes/local/cargo-again")["labels"] == {"team": "web"}
    assert cargo.helpers(docker_engine) == []
    page = product.http.get(f"{product.url}/volumes/local/{volume}/").text
    assert f'href="/backups/{told["id"]}/"' in page and f'href="/backups/{told["id"]}/restore/"' in page
    assert told["key"] in product.http.get(f"{product.url}/backups/?format=csv&volume={volume}").text
    assert told["sha256"] in product.http.get(f"{product.url}/backups/{told['id']}/").text


def test_a_volume_is_replaced_once_nobody_uses_it(
    product: Product, docker_engine: DockerEngine, backup: dict[str, Any], run: Any
) -> None:
    cargo.fill(docker_engine, "cargo-old", "cd /v; mkdir -p deep/er; echo old > deep/er/.hidden; echo old > a")
    cargo.known(product, "cargo-old")
    box = run("trap exit TERM; sleep 300 & wait", "-v", "cargo-old:/data")
    form = f"{product.url}/backups/{backup['id']}/restore/?host=local&into=replace&volume=cargo-old"
    until(lambda: box in product.http.get(form).text, "the form names the user")
    assert "All that is in cargo-old on local now is deleted" in product.http.get(form).text
    typed: dict[str, Any] = {"host": "local", "into": "replace", "volume": "cargo-old"}
    refused = ended(product, cargo.job_of(product.post(f"/backups/{backup['id']}/restore/", **typed)))
    assert refused["state"] == "failed" and f"{box} run and use cargo-old. Stop them first" in refused["error"]
    assert "old" in docker_engine.docker("run", "--rm", "-v", "cargo-old:/v", "busybox", "cat", "/v/deep/er/.hidden")
    done = ended(product, cargo.job_of(product.post(f"/backups/{backup['id']}/restore/", **typed, stop="1")))
    assert done["state"] == "done", done
    assert cargo.tell(docker_engine, "cargo-old") == cargo.tell(docker_engine, backup["volume"])
    assert docker_engine.docker("inspect", "-f", "{{.State.Running}}", box).strip() == "true"
    taken = product.post(f"/backups/{backup['id']}/restore/", host="local", into="new", volume="cargo-old")
    assert taken.status_code == 422 and "There is a volume called cargo-old on local already." in taken.text


def test_a_volume_and_a_backup_are_downloaded(
    product: Product, docker_engine: DockerEngine, volume: str, backup: dict[str, Any]
) -> None:
    answer = product.http.get(f"{product.url}/volumes/local/{volume}/download/")
    assert f'filename="{volume}-' in answer.headers["Content-Disposition"]
    assert cargo.names(answer.content)["./large"].size == 1_500_000
    headers = {"Authorization": f"Bearer {product.token}"}
    with requests.get(f"{product.url}/api/v1/volumes/local/{volume}/backup", headers=headers, stream=True) as begun:
        assert next(begun.iter_content(1000))  # and goes away
    until(lambda: cargo.helpers(docker_engine) == [], "no helper is left")
    whole = requests.get(f"{product.url}/api/v1/backups/{backup['id']}/download", headers=headers).content
    assert cargo.sha256(whole) == backup["sha256"]


def test_what_was_changed_or_cut_off_is_not_restored(
    product: Product, docker_engine: DockerEngine, volume: str, shed: str, folder: Path
) -> None:
    cargo.known(product, volume)
    made = cargo.done(product, f"volumes/local/{volume}/backup", destination=shed)["backup"]
    place = folder / "shed" / product.api(f"backups/{made}")["key"]
    content = place.read_bytes()
    for wrong, why in (
        (content[:-50_000], "This is no whole backup"),
        (cargo.packed_of(a="1"), "is not the one that was stored"),
    ):
        place.write_bytes(wrong)
        job = ended(product, product.api(f"backups/{made}/restore", "POST", volume="cargo-wrong")["job"])
        assert job["state"] == "failed" and why in job["error"], job
    place.write_bytes(content)
    assert cargo.done(product, f"backups/{made}/check")["sha256"] == cargo.sha256(content)
    assert product.api(f"backups/{made}")["checked"]
    place.unlink()
    job = ended(product, product.api(f"backups/{made}/check", "POST")["job"])
    assert "The file is not at shed any more" in job["error"]
    assert (
        "cargo-wrong" not in docker_engine.docker("volume", "ls", "-q").split() and cargo.helpers(docker_engine) == []
    )
    cargo.done(product, "backups/remove", backups=[made])
    assert product.http.get(f"{product.url}/backups/{made}/").status_code == 404


def test_a_folder_must_be_allowed_and_no_link_leads_out_of_it(
    product: Product, volume: str, folder: Path, tmp_path: Path
) -> None:
    for path in (str(tmp_path), f"{folder}/../elsewhere", "relative", f"{folder}-not"):
        answer = product.post("/backups/destinations/add/", name="bad", kind="folder", folder=path)
        assert answer.status_code == 422 and str(folder) in answer.text
    (folder / "led").symlink_to(tmp_path)
    product.api("destinations", "POST", name="led", kind="folder", folder=f"{folder}/led")
    (folder / "hall").mkdir()
    product.api("destinations", "POST", name="hall", kind="folder", folder=f"{folder}/hall")
    (folder / "hall" / "local").symlink_to(tmp_path)
    try:
        tried = product.post("/backups/destinations/led/test/")
        assert "The folder of led cannot be used: led: it is a link or no folder." in tried.text
        cargo.known(product, volume)
        job = ended(product, product.api(f"volumes/local/{volume}/backup", "POST", destination="hall")["job"])
        assert job["state"] == "failed" and "local: it is a link or no folder" in job["error"]
        assert list(tmp_path.iterdir()) == []
    finally:
        for name in ("led", "hall"):
            product.api(f"destinations/{name}", "DELETE")
        (folder / "led").unlink()
        (folder / "hall" / "local").unlink()


def test_a_cancelled_backup_leaves_nothing(
    product: Product, docker_engine: DockerEngine, volume: str, shed: str, folder: Path
) -> None:
    host, port = docker_engine.url.removeprefix("tcp://").split(":")
    with SlowProxy("127.0.0.1", int(port), 1_000_000_000, to=host) as proxy:
        product.api("hosts", "POST", name="far", url=f"tcp://{proxy.address}")
        try:
            cargo.known(product, volume, "far")
            proxy.bytes_per_second = 200_000
            job = product.api(f"volumes/far/{volume}/backup", "POST", destination=shed)["job"]
            until(
                lambda: [place for place in files(folder / "shed" / "far") if place.stat().st_size], "it is written", 20
            )
            assert [place.name for place in files(folder / "shed" / "far")][0].endswith(".part")
            assert not product.api("backups?host=far")["count"]
            asked = time.monotonic()
            product.api(f"jobs/{job}/cancel", "POST")
            assert ended(product, job)["state"] == "cancelled" and time.monotonic() - asked < 3
            assert files(folder / "shed" / "far") == [] and not product.api("backups?host=far")["count"]
            until(lambda: cargo.helpers(docker_engine) == [], "no helper is left")
        finally:
            product.api("hosts/far", "DELETE")


def test_podman_gives_and_takes(
    product: Product, podman_engine: PodmanEngine, docker_engine: DockerEngine, shed: str
) -> None:
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    try:
        cargo.fill(podman_engine, "cargo-back", "echo old > /v/old")
        cargo.fill(podman_engine, "cargo-raft")
        cargo.known(product, "cargo-raft", "raft")
        made = cargo.done(product, "volumes/raft/cargo-raft/backup", destination=shed)["backup"]
        cargo.done(product, f"backups/{made}/restore", volume="cargo-back", replace=True)
        told = cargo.tell(podman_engine, "cargo-back")
        assert told == cargo.tell(podman_engine, "cargo-raft")
        cargo.done(product, f"backups/{made}/restore", volume="cargo-ashore", host="local")
        assert cargo.tell(docker_engine, "cargo-ashore") == told
        answer = product.http.get(f"{product.url}/volumes/raft/cargo-raft/download/")
        assert cargo.names(answer.content)["./a/b"].isdir()
        until(lambda: cargo.helpers(podman_engine) == [], "no helper is left")
    finally:
        for name in ("cargo-raft", "cargo-back"):
            podman_engine.docker("volume", "rm", "-f", name)
        product.api("hosts/raft", "DELETE")
