"""Files that people send: they arrive whole, in bounded memory, and no tar gets anything past its folder."""

import io
import re
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.wire import Connection, Request
from tests.hosts.containers.files_box import Box, known
from tests.hosts.containers.test_files import Archive
from tests.servers.product import Product
from tests.waiting import until

MEGABYTE = 1 << 20
LARGE = 300 * MEGABYTE  # seven times of what the product's memory may grow by
MEMORY = 40 * MEGABYTE


@pytest.fixture(scope="module")
def boxes(product: Product, docker_engine: DockerEngine) -> Iterator[dict[str, Box]]:
    script = "mkdir -p /srv/in; chown 33:44 /srv /srv/in; ln -s /etc /srv/out;"
    docker_engine.docker("run", "--name", "upload-stopped", "busybox", "sh", "-c", script)
    docker_engine.docker("run", "-d", "--name", "upload-running", "busybox", "sh", "-c", f"{script} sleep 1000")
    yield {
        "running": known(product, "upload-running", "running"),
        "stopped": known(product, "upload-stopped", "exited"),
    }
    docker_engine.docker("rm", "-f", "upload-running", "upload-stopped")


@pytest.fixture(params=["running", "stopped"])
def box(request: pytest.FixtureRequest, boxes: dict[str, Box]) -> Box:
    return boxes[request.param]


def ended(product: Product, answer: requests.Response) -> dict[str, Any]:
    """The job of an answer, once it is over."""
    assert answer.status_code in {202, 204}, answer.text
    redirect = re.search(r"/jobs/(\d+)/", answer.headers.get("HX-Redirect", ""))
    number = int(redirect[1]) if redirect else answer.json()["job"]
    until(lambda: product.api(f"jobs/{number}")["state"] not in {"queued", "running"}, "the upload is over", 60)
    return product.api(f"jobs/{number}")


def upload(box: Box, files: list[tuple[str, Any]], path: str = "/srv/in", **options: str) -> dict[str, Any]:
    sent = [("files", (name, content)) for name, content in files]
    return ended(box.product, box.rest("/upload", "POST", path=path, files=sent, data=options))


Fill = Callable[[tarfile.TarFile], None]


def tar_by(fill: Fill, mode: Literal["w", "w:gz"] = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        fill(tar)
    return out.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"evil") -> Fill:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.uid, info.gid = kind, link, 1234, 1234
        info.size = len(content) if kind == tarfile.REGTYPE else 0
        tar.addfile(info, io.BytesIO(content))

    return add


@pytest.mark.usefixtures("no_upload_left")
# ---------------------------------------------------------------- what arrives
def test_files_arrive_and_belong_to_whom_the_folder_belongs(box: Box) -> None:
    big = bytes(range(256)) * 20_000
    job = upload(box, [("plain.txt", b"hello"), ("ünï 你好", b""), ("-rf", b"x"), ("big", big)])
    assert (job["state"], job["result"]) == ("done", {"files": 4, "bytes": len(big) + 6})
    found = box.listed("/srv/in")
    for name, size in (("plain.txt", 5), ("ünï 你好", 0), ("-rf", 1), ("big", len(big))):
        here = found[name]
        assert (here["size"], here["mode"], here["uid"], here["gid"]) == (size, "0644", 33, 44)
    assert box.content("/srv/in/big") == big


def test_a_tar_is_unpacked_with_its_folders_and_links(box: Box) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        for add in (
            entry("./", tarfile.DIRTYPE),
            entry("site", tarfile.DIRTYPE),
            entry("site/page.html", content=b"<p>"),
            entry("site/other", tarfile.LNKTYPE, "site/page.html"),
            entry("site/absolute", tarfile.SYMTYPE, "/etc/passwd"),
            entry("site/" + "long" * 40),
        ):
            add(tar)

    modes: tuple[Literal["w"], Literal["w:gz"]] = ("w", "w:gz")
    for mode in modes:
        answer = box.form("upload", path="/srv/in", unpack="1", files={"files": ("a.tar", tar_by(fill, mode))})
        assert ended(box.product, answer)["state"] == "done"
    found = box.listed("/srv/in/site")
    assert set(found) == {"page.html", "other", "absolute", "long" * 40}
    assert (found["page.html"]["uid"], found["absolute"]["link"]) == (33, "/etc/passwd")
    assert box.content("/srv/in/site/other") == b"<p>"
    assert upload(box, [("a.tar", tar_by(fill))], unpack="1", owners="1")["state"] == "done"
    assert box.listed("/srv/in/site")["page.html"]["uid"] == 1234


@pytest.mark.usefixtures("no_upload_left")
# ---------------------------------------------------------------- what does not
@pytest.mark.parametrize(
    ("fill", "words"),
    [
        ([entry("../escaped")], "../escaped leads out of the folder"),
        ([entry("/etc/escaped")], "/etc/escaped leads out of the folder"),
        ([entry("a/../../escaped")], "a/../../escaped leads out of the folder"),
        (
            [entry("door", tarfile.SYMTYPE, "/etc"), entry("door/escaped")],
            "door/escaped would be written through a link",
        ),
        ([entry("hard", tarfile.LNKTYPE, "/etc/passwd")], "/etc/passwd leads out of the folder"),
        ([entry("hard", tarfile.LNKTYPE, "in/other")], "hard is a hard link to something outside"),
        ([entry("disk", tarfile.BLKTYPE)], "disk is a device or another special file"),
        ([entry("tty", tarfile.CHRTYPE)], "tty is a device or another special file"),
        ([entry("pipe", tarfile.FIFOTYPE)], "pipe is a device or another special file"),
        ([entry("fine"), entry("x" * 256)], "has a part of more than 255 bytes"),
        ([entry("two\nlines/../../b")], "two\\nlines/../../b leads out of the folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_tar_is_refused_by_the_name_of_its_entry(boxes: dict[str, Box], fill: list[Fill], words: str) -> None:
    box = boxes["running"]
    before = (box.listed("/srv/in"), box.listed("/etc"))

    def all_of_it(tar: tarfile.TarFile) -> None:
        for add in fill:
            add(tar)

    job = upload(box, [("a.tar", tar_by(all_of_it))], unpack="1")
    assert (job["state"], words in job["error"]) == ("failed", True), job["error"]
    assert (box.listed("/srv/in"), box.listed("/etc")) == before


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 99, tar_by(entry("x", content=b"y" * 9000))[:3000]])
def test_what_is_no_tar_is_said_to_be_none(boxes: dict[str, Box], content: bytes) -> None:
    job = upload(boxes["running"], [("a.tar", content)], unpack="1")
    assert (job["state"], "This is no tar that can be read" in job["error"]) == ("failed", True), job


def test_an_upload_that_cannot_be_says_why(boxes: dict[str, Box]) -> None:
    box = boxes["running"]
    for path, words in (("/nowhere", "There is no /nowhere"), ("/etc/passwd", "/etc/passwd is no folder")):
        assert words in upload(box, [("x", b"x")], path)["error"]
    assert "cannot overwrite directory" in upload(box, [("in", b"x")], "/srv")["error"]
    assert set(box.listed("/srv")) == {"in", "out"}
    twice = [("files", ("a", b"x")), ("files", ("b", b"x"))]
    answer = box.rest("/upload", "POST", path="/srv", files=twice, data={"unpack": "1"})
    assert (answer.status_code, answer.json()["field"]) == (422, "files")


# ---------------------------------------------------------------- size


def peak(product: Product, *, reset: bool = False) -> int:
    """The most memory that the product's processes had since the last reset, in bytes."""
    most = 0
    for process in product.processes.values():
        place = Path(f"/proc/{process.pid}")
        if reset:
            (place / "clear_refs").write_text("5")
        most += int(re.search(r"VmHWM:\s+(\d+)", (place / "status").read_text())[1]) * 1024
    return most


def test_what_is_large_streams_through(boxes: dict[str, Box]) -> None:
    """300 MB each way; 2 GB takes the same memory, and CI seven times as long."""
    box = boxes["stopped"]
    upload(box, [("warm", b"x" * 3 * MEGABYTE)])
    before = peak(box.product, reset=True)
    url = f"{box.product.url}/api/v1/containers/local/{box.name}/files/upload?path=/srv/in"
    headers = {"Authorization": f"Bearer {box.product.token}", "Content-Type": Form.kind}
    job = ended(box.product, requests.post(url, data=Form("zeros", LARGE), headers=headers, timeout=120))
    assert (job["state"], job["result"]["bytes"]) == ("done", LARGE), job
    got = 0
    url = f"{box.product.url}/api/v1/containers/local/{box.name}/files/content?path=/srv/in/zeros"
    with requests.get(url, headers={"Authorization": headers["Authorization"]}, stream=True, timeout=120) as answer:
        for block in answer.iter_content(MEGABYTE):
            got += len(block)
    assert got == LARGE
    assert peak(box.product) - before < MEMORY


class Form:
    """A form with one file of zeros, made as it is read."""

    kind = "multipart/form-data; boundary=quay"

    def __init__(self, name: str, size: int) -> None:
        head = f'--quay\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        self.blocks = iter([head.encode(), *([bytes(MEGABYTE)] * (size // MEGABYTE)), b"\r\n--quay--\r\n"])
        self.len = len(head) + size + len("\r\n--quay--\r\n")

    def read(self, size: int = -1) -> bytes:
        return next(self.blocks, b"")

    def __iter__(self) -> Iterator[bytes]:
        return self.blocks


# ---------------------------------------------------------------- an engine that is slow, and another engine
@dataclass
class Reluctant(Behaviour):
    """Tells of a folder, and never answers what is put into it."""

    asked: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        if request and request.method == "PUT":
            self.asked.set()
            await connection.closed_by_client()
        await Archive(tar_by(entry("x", tarfile.DIRTYPE)))(request, connection, normal)


def test_a_cancelled_upload_says_what_it_left(product: Product, fake_engine: FakeEngine) -> None:
    reluctant = Reluctant()
    fake_engine.misbehave("/containers/*/archive", reluctant)
    product.api("hosts", "POST", name="fake", url=fake_engine.url)
    try:
        box = known(product, "web-1", "running", "fake")
        number = box.rest("/upload", "POST", path="/srv", files={"files": ("x", b"x")}).json()["job"]
        assert reluctant.asked.wait(10)
        began = time.monotonic()
        product.post(f"/jobs/{number}/cancel/")
        until(lambda: product.api(f"jobs/{number}")["state"] == "cancelled", "it is cancelled", 5)
        assert time.monotonic() - began < 2
        assert "In /srv of web-1: the files that had arrived" in product.http.get(f"{product.url}/jobs/{number}/").text
        reluctant.asked.clear()
        again = product.post(f"/jobs/{number}/again/")  # what was sent is still kept
        assert reluctant.asked.wait(10)
        product.post(f"{again.url.removeprefix(product.url)}cancel/")
    finally:
        product.api("hosts/fake", "DELETE")


def test_podman_takes_files_too_and_says_what_it_cannot(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    podman_engine.docker("create", "--name", "upload-raft", "busybox")
    try:
        box = known(product, "upload-raft", "created", "raft")
        job = upload(box, [("a.tar", tar_by(entry("new/file")))], "/root", unpack="1")
        assert job["state"] == "done", job["error"]
        assert box.content("/root/new/file") == b"evil"
        stamp = box.rest("/stat", path="/root/new/file").json()["stamp"]
        put = box.rest("/content", "PUT", path="/root/new/file", json={"text": "good", "stamp": stamp})
        assert put.ok, put.text
        assert box.content("/root/new/file") == b"good"
        assert box.rest("/make", "POST", json={"path": "/root/made"}).ok
        assert box.listed("/root")["made"]["kind"] == "folder"
        assert box.rest("/chmod", "POST", json={"path": "/root/made", "mode": "700"}).ok
        assert box.listed("/root")["made"]["mode"] == "0700"
        answer = box.rest("/delete", "POST", json={"path": "/root/made"})
        assert (answer.status_code, "Start it first" in answer.json()["title"]) == (409, True), answer.text
    finally:
        podman_engine.docker("rm", "-f", "upload-raft")
        product.api("hosts/raft", "DELETE")
