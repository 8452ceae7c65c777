"""Files that are sent are looked through before anything is lost; schedules keep what they say and nothing else."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import zstandard
from django.utils import timezone

from hosts.actions.backups import keeping
from hosts.jobs import sweep_backups
from hosts.models import Backup, Destination
from jobs.models import Job, Schedule
from jobs.run import JobContext
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import current
from tests.hosts.backups import cargo
from tests.rows import person
from tests.servers.jobs import ended
from tests.servers.product import Product


def tar_of(*members: dict[str, Any]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            content = member.pop("content", b"")
            info = tarfile.TarInfo(member.pop("name"))
            info.size = len(content)
            for name, value in member.items():
                setattr(info, name, value)
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return made.getvalue()


def send(product: Product, content: bytes, name: str, **fields: str) -> dict[str, Any]:
    """Over REST; how its job ended."""
    answer = requests.post(
        f"{product.url}/api/v1/volumes/local/restore",
        headers={"Authorization": f"Bearer {product.token}"},
        data={"volume": name, **fields},
        files={"file": ("sent.tar.zst", content)},
    )
    assert answer.status_code == 202, answer.text
    return ended(product, answer.json()["job"])


def zst(tar: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(tar)


LINK = {"name": "out", "type": tarfile.SYMTYPE, "linkname": "/etc"}
HOSTILE = {
    "absolute": (tar_of({"name": "/etc/passwd", "content": b"x"}), "/etc/passwd leads out"),
    "up": (tar_of({"name": "a/../../x", "content": b"x"}), "leads out of the folder"),
    "link": (tar_of(dict(LINK), {"name": "out/passwd", "content": b"x"}), "out/passwd would be written through a link"),
    "hard link": (tar_of({"name": "h", "type": tarfile.LNKTYPE, "linkname": "../x"}), "leads out of the folder"),
    "device": (tar_of({"name": "null", "type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}), "null is a device"),
    "twice": (tar_of({"name": "a", "content": b"1"}, {"name": "a", "content": b"2"}), "a is in it twice"),
    "sparse": (tar_of({"name": "s", "content": b"x", "pax_headers": {"GNU.sparse.major": "1"}}), "a sparse file"),
    "no tar": (b"no tar at all" * 100, "This is no whole backup"),
    "cut off": (tar_of({"name": "a", "content": b"x" * 5000})[:3000], "This is no whole backup"),
}


@pytest.fixture(scope="module")
def place(docker_engine: DockerEngine) -> Iterator[str]:
    yield cargo.fill(docker_engine, "hold", "echo precious > /v/precious")
    for name in docker_engine.docker("volume", "ls", "-q", "--filter", "name=hold").split():
        docker_engine.docker("volume", "rm", "-f", name)


def test_nothing_is_lost_to_a_hostile_file(product: Product, docker_engine: DockerEngine, place: str) -> None:
    cargo.known(product, place)
    for name, (tar, said) in HOSTILE.items():
        job = send(product, zst(tar), place, replace="true")
        assert job["state"] == "failed" and said in job["error"], (name, job)
    big = tarfile.TarInfo("big")
    big.size = 200 * 1024**3
    bomb = zst(big.tobuf(tarfile.GNU_FORMAT) + bytes(64 * 1024 * 1024))
    assert len(bomb) < 100_000
    job = send(product, bomb, place, replace="true")
    assert "It would fill more than 100 GiB" in job["error"]
    assert docker_engine.docker("run", "--rm", "-v", f"{place}:/v", "busybox", "ls", "/v").split() == ["precious"]
    assert cargo.helpers(docker_engine) == []


def test_a_file_of_another_program_becomes_a_volume(product: Product, docker_engine: DockerEngine, place: str) -> None:
    cargo.known(product, place)
    kept = product.folder / "data" / "uploads"
    before = set(kept.iterdir())
    tar = tar_of(
        {"name": "deep/er/file", "content": b"tea", "uid": 5, "gid": 6, "mode": 0o640},
        {"name": "deep/link", "type": tarfile.SYMTYPE, "linkname": "er/file"},
    )
    for n, content in enumerate((zst(tar), gzip.compress(tar), tar)):
        assert send(product, content, f"hold-{n}")["state"] == "done"
    look = [
        "run",
        "--rm",
        "-v",
        "hold-1:/v",
        "busybox",
        "stat",
        "-c",
        "%n %u %g %a %F",
        "/v/deep/er/file",
        "/v/deep/link",
    ]
    assert docker_engine.docker(*look).splitlines()[0] == "/v/deep/er/file 5 6 640 regular file"
    token = product.http.cookies.get("csrftoken") or ""
    form = {"host": "local", "into": "replace", "volume": place}
    answer = product.http.post(
        f"{product.url}/volumes/restore/",
        form,
        files={"file": ("sent.tar", tar)},
        headers={"Referer": product.url, "X-CSRFToken": token},
    )
    assert ended(product, cargo.job_of(answer))["state"] == "done"
    assert docker_engine.docker("run", "--rm", "-v", f"{place}:/v", "busybox", "ls", "-A", "/v").split() == ["deep"]
    assert set(kept.iterdir()) - before == set()


def test_a_schedule_makes_backups_and_keeps_the_last(product: Product, docker_engine: DockerEngine, place: str) -> None:
    cargo.known(product, place)
    (current().folder / "backups" / "loft").mkdir()
    product.api("destinations", "POST", name="loft", kind="folder", folder=f"{current().folder}/backups/loft")
    by_hand = cargo.done(product, f"volumes/local/{place}/backup", destination="loft")["backup"]
    typed: dict[str, Any] = {
        "name": "nightly hold",
        "destination": "loft",
        "cron": "30 2 * * *",
        "timezone": "Asia/Jakarta",
    }
    refused = product.post(f"/volumes/local/{place}/backup/schedule/", **typed, keep_last="-1", keep_days="0")
    assert refused.status_code == 422
    answer = product.post(f"/volumes/local/{place}/backup/schedule/", **typed, keep_last="1", keep_days="0")
    schedule = int(answer.url.rstrip("/").rpartition("/")[2])
    made = []
    for _ in range(2):
        job = ended(product, cargo.job_of(product.post(f"/jobs/schedules/{schedule}/run/")))
        assert job["state"] == "done", job
        made.append(job["result"]["backup"])
    left = {backup["id"]: backup for backup in product.api("backups?destination=loft")["items"]}
    assert set(left) == {by_hand, made[1]} and left[made[1]]["schedule"] == schedule
    files = [place.name for place in (current().folder / "backups" / "loft").rglob("*.zst")]
    assert sorted(files) == sorted(Path(backup["key"]).name for backup in left.values())
    product.api(f"schedules/{schedule}", "DELETE")
    cargo.done(product, "backups/remove", backups=list(left))
    product.api("destinations/loft", "DELETE")


@pytest.mark.django_db
def test_what_is_too_old_is_what_neither_rule_keeps(tmp_path: Path, settings: Any) -> None:
    settings.DERMAGA_BACKUP_FOLDERS = [str(tmp_path)]
    ada = person("ada", "deployer")
    loft = Destination.objects.create(name="loft", kind="folder", folder=str(tmp_path))
    mine, other = (
        Schedule.objects.create(name=name, kind="volume.backup", cron="0 0 * * *", timezone="UTC", by=ada)
        for name in ("mine", "other")
    )

    def made(days: float, **more: Any) -> Backup:
        values = {"host": "fra-1", "volume": "data", "schedule": mine, **more}
        backup = Backup.objects.create(destination=loft, state="kept", key=f"fra-1/data/{days}-{len(more)}", **values)
        (tmp_path / "fra-1" / "data").mkdir(parents=True, exist_ok=True)
        (tmp_path / backup.key).touch()
        Backup.objects.filter(pk=backup.pk).update(created=timezone.now() - timedelta(days=days))
        return backup

    newest, young, old, used, oldest = (made(days) for days in (0, 1, 5, 8, 9))
    strange = [made(9, schedule=other), made(9, schedule=None, volume="data"), made(9, host="fra-2")]
    Job.objects.create(kind="volume.restore", by_name="ada", host="fra-1", locks=[used.lock])

    def kept(**rules: int) -> set[int]:
        job = Job.objects.create(kind="volume.backup", by=ada, by_name="ada", params=rules)
        keeping.keep(JobContext(job), newest)
        return set(Backup.objects.filter(schedule=mine, host="fra-1").values_list("pk", flat=True))

    everything = {row.pk for row in (newest, young, old, used, oldest)}
    assert kept() == everything
    assert kept(keep_last=1, keep_days=7) == everything - {oldest.pk}  # one of the old ones is being read
    assert kept(keep_last=2) == {newest.pk, young.pk, used.pk}
    assert kept(keep_days=1, keep_last=0) >= {newest.pk, used.pk}
    assert {row.pk for row in strange} <= set(Backup.objects.values_list("pk", flat=True))
    assert not (tmp_path / oldest.key).exists() and (tmp_path / newest.key).exists()


@pytest.mark.django_db
def test_what_a_killed_worker_left_is_no_backup_and_goes(tmp_path: Path, settings: Any) -> None:
    settings.DERMAGA_BACKUP_FOLDERS = [str(tmp_path)]
    loft = Destination.objects.create(name="loft", kind="folder", folder=str(tmp_path))
    folder = tmp_path / "fra-1" / "data"
    folder.mkdir(parents=True)
    rows = {}
    for state in ("interrupted", "running"):
        job = Job.objects.create(kind="volume.backup", by_name="ada", host="fra-1", state=state)
        key = f"fra-1/data/{state}.tar.zst"
        rows[state] = Backup.objects.create(host="fra-1", volume="data", destination=loft, key=key, job=job)
        (folder / f".{state}.tar.zst.1234abcd.part").write_bytes(b"half")
    sweep_backups()
    assert list(Backup.objects.all()) == [rows["running"]] and not Backup.kept().exists()
    assert [place.name for place in folder.iterdir()] == [".running.tar.zst.1234abcd.part"]
