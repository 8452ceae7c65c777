"""Looking at files: in a container that runs, one that is stopped, and one without any program but its own."""

import base64
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client

from accounts.models import AuditEntry
from hosts.models import Host
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import tar_of
from tests.engines.podman_engine import PodmanEngine
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.wire import Connection, Request
from tests.hosts.containers.files_box import Box, known
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product

EVIL = [
    "a b",
    "-rf",
    "two\nlines",
    "<b>&amp;\"'",
    "ünï 你好 \u202egpj.exe",
    "%2e%2e",
    "x" * 250,
    "$(id)",
    "new\r\nSet-Cookie: a=b",
    "; rm -rf",
]
SCRIPT = r"""
mkdir -p /data/sub; printf 'hello\nworld\n' > /data/text; printf 'a\000b' > /data/binary
printf 'one\r\ntwo\n' > /data/mixed; ln -s ../data/sub /data/to-sub; ln -s text /data/to-text; ln -s /nowhere /data/broken
ln -s loop /data/loop; mkfifo /data/pipe; printf deep > /data/sub/deep; touch /data/sub/-n
chown 33:44 /data/text; chmod 4711 /data/text
head -c 1048577 /dev/zero | tr '\0' x > /data/large; printf x > "$(printf '/data/\377bytes')"
"""


def bare_image(engine: DockerEngine | PodmanEngine) -> str:
    """An image of one program, which is no shell, and one folder."""
    root = io.BytesIO(tar_of({"data/text": b"hello\nworld\n", "data/sub/deep": b"deep"}))
    with tarfile.open(fileobj=root, mode="a") as tar:
        tar.add(shutil.which("busybox") or "/bin/busybox", "busybox")
    engine.docker("import", "-c", 'CMD ["/busybox", "sleep", "1000"]', "-", "files/bare", stdin=root.getvalue())
    return "files/bare"


@pytest.fixture(scope="module")
def boxes(product: Product, docker_engine: DockerEngine) -> Iterator[dict[str, Box]]:
    """`running` and `stopped` hold the same files."""
    docker_engine.docker("run", "--name", "files-stopped", "busybox", "sh", "-c", SCRIPT)
    docker_engine.docker("run", "-d", "--name", "files-running", "busybox", "sh", "-c", f"{SCRIPT} sleep 1000")
    docker_engine.docker("run", "-d", "--name", "files-bare", bare_image(docker_engine))
    evil = tar_of({f"evil/{name}": name.encode() for name in EVIL})
    for name in ("files-running", "files-stopped"):
        docker_engine.docker("cp", "-", f"{name}:/", stdin=evil)
    yield {
        "running": known(product, "files-running", "running"),
        "stopped": known(product, "files-stopped", "exited"),
        "bare": known(product, "files-bare", "running"),
    }
    docker_engine.docker("rm", "-f", "files-running", "files-stopped", "files-bare")
    docker_engine.docker("rmi", "files/bare")


@pytest.fixture(params=["running", "stopped"])
def box(request: pytest.FixtureRequest, boxes: dict[str, Box]) -> Box:
    return boxes[request.param]


# ---------------------------------------------------------------- folders
def test_a_folder_is_listed_with_what_each_entry_is(box: Box) -> None:
    found = box.listed("/data")
    assert {name: entry["kind"] for name, entry in found.items()} == {
        "sub": "folder", "text": "file", "binary": "file", "mixed": "file", "large": "file", "\\xffbytes": "file",
        "to-sub": "link", "to-text": "link", "broken": "link", "loop": "link", "pipe": "pipe",
    }  # fmt: skip
    text = found["text"]
    assert (text["size"], text["mode"], text["uid"], text["gid"]) == (12, "4711", 33, 44)
    assert (found["to-sub"]["link"], found["broken"]["link"]) == ("../data/sub", "/nowhere")
    assert found["large"]["size"] == 1048577
    assert not found["\\xffbytes"]["plain"]
    assert set(box.listed("/data/to-sub")) == {"deep", "-n"}
    assert {"bin", "data", "etc", "evil"} <= set(box.listed("/"))


def test_a_container_without_programs_is_listed_as_well(boxes: dict[str, Box]) -> None:
    assert set(boxes["bare"].listed("/")) >= {"busybox", "data"}
    assert set(boxes["bare"].listed("/data")) == {"text", "sub"}
    assert boxes["bare"].content("/data/text") == b"hello\nworld\n"


def test_evil_names_are_names(box: Box) -> None:
    assert set(box.listed("/evil")) == set(EVIL)
    page = box.get(path="/evil", part="1").text
    assert "<b>" not in page
    assert "two\\nlines" in page
    assert "\\u202egpj.exe" in page
    for name in EVIL:
        answer = box.rest("/content", path=f"/evil/{name}")
        assert answer.content == name.encode()
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Content-Disposition"].startswith("attachment; filename")


def test_dots_are_worked_out_and_stay_in_the_container(box: Box) -> None:
    assert set(box.listed("/data/../../../data/./sub")) == {"deep", "-n"}
    assert box.rest(path="/" + "x/" * 3000).status_code == 422


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/data/none", 404, "There is no /data/none"),
        ("/data/text/below", 404, "There is no /data/text/below"),
        ("/data/broken", 404, "There is no /nowhere"),
        ("/data/text", 409, "/data/text is no folder"),
    ],
)
def test_a_path_that_is_no_folder_is_named(box: Box, path: str, status: int, words: str) -> None:
    answer = box.rest(path=path)
    assert (answer.status_code, answer.json()["title"][: len(words)]) == (status, words)


# ---------------------------------------------------------------- files
def test_a_text_is_shown_and_what_is_none_says_why(box: Box) -> None:
    def part(path: str) -> str:
        return box.get("file/", path=path, part="1").text

    assert "hello\nworld" in part("/data/text")
    assert "hello\nworld" in part("/data/to-text")
    assert "-rws--x--x" in part("/data/text")
    assert "no text in UTF-8" in part("/data/binary")
    assert "line ends are of several kinds" in part("/data/mixed")
    assert "larger than what a page shows" in part("/data/large")
    assert "neither a file nor a folder" in part("/data/pipe")
    assert "There is no /data/none" in part("/data/none")


def test_folders_and_files_lead_to_each_other(box: Box) -> None:
    to_folder = box.get("file/", path="/data/to-sub", part="1")
    assert to_folder.headers["HX-Redirect"].endswith("/files/?path=%2Fdata%2Fsub")
    to_file = box.get(path="/data/text", part="1")
    assert to_file.headers["HX-Redirect"].endswith("/files/file/?path=%2Fdata%2Ftext")


def test_a_folder_is_downloaded_as_a_tar_with_its_links_as_data(box: Box) -> None:
    with tarfile.open(fileobj=io.BytesIO(box.content("/data"))) as tar:
        members = {member.name: member for member in tar}
        assert members["data/broken"].linkname == "/nowhere"
        assert members["data/pipe"].isfifo()
        assert tar.extractfile("data/text").read() == b"hello\nworld\n"
    assert box.content("/data/to-text") == b"hello\nworld\n"
    answer = box.rest("/content", path="/data/pipe")
    assert answer.status_code == 409
    assert "/data/pipe is neither" in answer.json()["title"]


# ---------------------------------------------------------------- who, and what goes wrong
@dataclass
class Archive(Behaviour):
    """Answers for a folder with `tar`, whatever that is."""

    tar: bytes
    mode: int = 0o20000000755

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        told = json.dumps({"name": "x", "size": 1, "mode": self.mode, "mtime": "2026-01-01T00:00:00Z"}).encode()
        headers = {"X-Docker-Container-Path-Stat": base64.b64encode(told).decode()}
        await connection.answer(200, self.tar if request and request.method == "GET" else b"", headers)


def at_fake(fake: FakeEngine) -> None:
    host = Host.objects.create(name="quay", url=fake.url, kind="tcp", state="online", api_version="1.41")
    containers(host, container_json("web", State="exited"))


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tar",
    [
        b"x" * 512,
        header("data", 0)[:300] + b"y" * 212,
        header("@LongLink", 1 << 30, tarfile.GNUTYPE_LONGNAME),
        header("pax", 16, tarfile.XHDTYPE) + b"-5 path=/etc\n".ljust(512, b"\0"),
        header("pax", 16, tarfile.XHDTYPE) + b"99999 size=1\n".ljust(512, b"\0"),
        header("pax", 11, tarfile.XHDTYPE) + b"11 size=-1\n".ljust(512, b"\0") + header("data", 0),
        header("data", 1) + b"x".ljust(512, b"\0"),
    ],
    ids=["noise", "checksum", "endless name", "negative record", "long record", "negative size", "no end"],
)
def test_an_archive_that_is_none_is_refused(client: Client, fake_engine: FakeEngine, tar: bytes) -> None:
    at_fake(fake_engine)
    fake_engine.misbehave("/containers/*/archive", Archive(tar))
    client.force_login(person("ada", "admin"))
    answer = client.get("/api/v1/containers/quay/web/files?path=/data")
    assert answer.status_code == 502, answer.content
    assert answer.json()["code"] == "not_an_engine"


@pytest.mark.django_db
def test_a_file_that_ends_early_is_no_text(client: Client, fake_engine: FakeEngine) -> None:
    at_fake(fake_engine)
    fake_engine.misbehave("/containers/*/archive", Archive(header("text", 100) + b"half of it", 0o644))
    client.force_login(person("ada", "admin"))
    html = client.get("/containers/quay/web/files/file/?path=/text&part=1").content.decode()
    assert "is no container engine" in html
    assert "half of it" not in html


@pytest.mark.django_db
def test_only_who_may_work_with_files_sees_any(client: Client) -> None:
    containers(a_host(), container_json("web"))
    for role, status in (("viewer", 403), ("deployer", 200), ("admin", 200)):
        client.force_login(person(role, role))
        assert client.get("/containers/quay/web/files/").status_code == status
        assert client.get("/containers/quay/web/files/file/?path=/x").status_code == status
        tab = '/files/"' in client.get("/containers/quay/web/inspect/").content.decode()
        assert tab == (status == 200)
    client.force_login(person("vera", "viewer"))
    for path in ("files", "files/content"):
        assert client.get(f"/api/v1/containers/quay/web/{path}").status_code == 403
    assert client.get("/containers/quay/web/files/download/?path=/etc/passwd").status_code == 403


@pytest.mark.django_db
def test_who_read_which_file_is_in_the_audit(client: Client, fake_engine: FakeEngine) -> None:
    at_fake(fake_engine)
    fake_engine.misbehave("/containers/*/archive", Archive(header("text", 2) + b"hi".ljust(2048, b"\0"), 0o644))
    client.force_login(person("ada", "admin"))
    assert "hi" in client.get("/containers/quay/web/files/file/?path=/srv/text&part=1").content.decode()
    entry = AuditEntry.objects.get(action="container.file.read")
    assert (entry.actor_name, entry.target, entry.detail["path"]) == ("ada", "web", "/srv/text")


def test_podman_lists_and_gives_files_too(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    podman_engine.docker("create", "--name", "files-raft", "busybox")
    try:
        box = known(product, "files-raft", "created", "raft")
        assert {"bin", "etc"} <= set(box.listed("/"))
        assert box.listed("/etc")["passwd"]["size"] == len(box.content("/etc/passwd"))
    finally:
        podman_engine.docker("rm", "-f", "files-raft")
        product.api("hosts/raft", "DELETE")
