"""Changing files: what works in every container, what needs its own programs, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.models import Job
from tests.engines.docker_engine import DockerEngine
from tests.hosts.containers.files_box import Box, known
from tests.hosts.containers.test_files import bare_image
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product

SCRIPT = r"mkdir -p /data/deep; printf 'hello\n' > /data/text; chown 33:44 /data /data/text; chmod 640 /data/text;"
EVIL = ["a b", "-rf", "two\nlines", "<b>&\"'", "ünï 你好", "$(id)"]


@pytest.fixture(scope="module")
def boxes(product: Product, docker_engine: DockerEngine) -> Iterator[dict[str, Box]]:
    docker_engine.docker("run", "--name", "change-stopped", "busybox", "sh", "-c", SCRIPT)
    docker_engine.docker(
        "run", "-d", "--name", "change-running", "-v", "/mnt", "busybox", "sh", "-c", f"{SCRIPT} sleep 1000"
    )
    docker_engine.docker("run", "-d", "--name", "change-bare", bare_image(docker_engine))
    yield {
        "running": known(product, "change-running", "running"),
        "stopped": known(product, "change-stopped", "exited"),
        "bare": known(product, "change-bare", "running"),
    }
    docker_engine.docker("rm", "-fv", "change-running", "change-stopped", "change-bare")
    docker_engine.docker("rmi", "files/bare")


@pytest.fixture(params=["running", "stopped", "bare"])
def box(request: pytest.FixtureRequest, boxes: dict[str, Box]) -> Box:
    return boxes[request.param]


def act(box: Box, verb: str, **body: Any) -> Any:
    return box.rest(f"/{verb}", "POST", json=body)


def refused(answer: Any, status: int, words: str) -> None:
    assert (answer.status_code, words in answer.json()["title"]) == (status, True), answer.text


def write(box: Box, path: str, text: str, stamp: str = "") -> Any:
    stamp = stamp or box.rest("/stat", path=path).json()["stamp"]
    return box.rest("/content", "PUT", path=path, json={"text": text, "stamp": stamp})


# ---------------------------------------------------------------- texts
def test_a_text_is_replaced_and_keeps_its_owner_and_mode(box: Box) -> None:
    before = box.listed("/data")["text"]
    assert write(box, "/data/text", "first\r\nsecond\n").ok
    assert box.content("/data/text") == b"first\r\nsecond\n"
    after = box.listed("/data")["text"]
    assert [after[key] for key in ("mode", "uid", "gid")] == [before[key] for key in ("mode", "uid", "gid")]


def test_what_somebody_else_wrote_is_not_overwritten(box: Box) -> None:
    stamp = box.rest("/stat", path="/data/text").json()["stamp"]
    assert write(box, "/data/text", "theirs").ok
    refused(write(box, "/data/text", "ours", stamp), 409, "/data/text was changed by somebody else")
    assert box.content("/data/text") == b"theirs"
    refused(write(box, "/data/none", "ours", stamp), 404, "There is no /data/none")


def test_the_page_stores_a_text_as_the_file_has_its_lines(boxes: dict[str, Box]) -> None:
    box = boxes["running"]
    write(box, "/data/text", "one\r\ntwo\r\n")
    page = box.get("file/", path="/data/text", part="1")
    stamp = box.rest("/stat", path="/data/text").json()["stamp"]
    assert f'value="{stamp}"' in page.text
    fields = {"path": "/data/text", "stamp": stamp, "ends": "crlf", "text": "one\r\n\r\n three\r\n"}
    assert box.form("save", **fields).ok
    assert box.content("/data/text") == b"one\r\n\r\n three\r\n"
    again = box.form("save", **fields | {"text": "typed <b>meanwhile</b>"})
    assert again.status_code == 409
    assert "changed by somebody else" in again.text
    assert "typed &lt;b&gt;meanwhile&lt;/b&gt;" in again.text


# ---------------------------------------------------------------- folders, names, modes
def test_new_files_and_folders_belong_to_whom_their_folder_belongs(box: Box) -> None:
    owner = box.listed("/")["data"]
    for number, name in enumerate(EVIL):
        kind = ("folder", "file")[number % 2]
        assert act(box, "make", path=f"/data/{name}", kind=kind).json()["path"] == f"/data/{name}"
        made = box.listed("/data")[name]
        assert (made["kind"], made["uid"], made["gid"]) == (kind, owner["uid"], owner["gid"])
        refused(act(box, "make", path=f"/data/{name}"), 409, "is there already")
    refused(act(box, "make", path="/nowhere/x"), 404, "There is no /nowhere")
    refused(act(box, "make", path="/data/text/x"), 409, "/data/text is no folder")
    assert act(box, "make", path="/data/" + "x" * 256).status_code == 422
    assert act(box, "make", path="/data/..").status_code == 422


def test_a_mode_is_changed(box: Box) -> None:
    text = box.content("/data/text")
    for path, mode in (("text", "4711"), ("text", "600"), ("deep" if "bare" not in box.name else "sub", "1777")):
        answer = act(box, "chmod", path=f"/data/{path}", mode=mode)
        assert answer.ok, answer.text
        assert box.listed("/data")[path]["mode"] == mode.zfill(4)
    assert box.content("/data/text") == text
    for mode in ("9", "rwx", "77777", ""):
        answer = act(box, "chmod", path="/data/text", mode=mode)
        assert (answer.status_code, answer.json()["field"]) == (422, "mode")


def test_a_running_container_s_files_are_renamed_and_deleted(boxes: dict[str, Box]) -> None:
    box = boxes["running"]
    act(box, "make", path="/data/--help", kind="file")
    assert act(box, "rename", path="/data/--help", new="-x\ny").json()["path"] == "/data/-x\ny"
    assert act(box, "rename", path="/data/-x\ny", new="deep/z").json()["path"] == "/data/deep/z"
    assert set(box.listed("/data/deep")) == {"z"}
    refused(act(box, "rename", path="/data/text", new="/data/deep/z"), 409, "/data/deep/z is there already")
    refused(act(box, "rename", path="/data/none", new="x"), 404, "There is no /data/none")
    refused(act(box, "rename", path="/data/text", new="/none/x"), 404, "There is no /none")
    assert act(box, "rename", path="/data/deep", new="/data/deep/in").status_code == 422
    assert act(box, "delete", path="/data/deep").ok
    refused(act(box, "delete", path="/data/deep"), 404, "There is no /data/deep")
    for verb, more in (("delete", {}), ("rename", {"new": "x"})):
        assert act(box, verb, path="/etc/..", **more).status_code == 422
    assert "deep" not in box.listed("/data")


def test_a_link_is_deleted_and_not_what_it_leads_to(boxes: dict[str, Box], docker_engine: DockerEngine) -> None:
    box = boxes["running"]
    docker_engine.docker("exec", box.name, "sh", "-c", "mkdir /data/kept; touch /data/kept/x; ln -s kept /data/link")
    assert act(box, "delete", path="/data/link").ok
    assert set(box.listed("/data/kept")) == {"x"}


@pytest.mark.parametrize(("where", "why"), [("stopped", "does not run. Start it first"), ("bare", "image has none")])
def test_what_an_engine_cannot_do_itself_is_said(boxes: dict[str, Box], where: str, why: str) -> None:
    box = boxes[where]
    refused(act(box, "delete", path="/data/text"), 409, why)
    refused(act(box, "rename", path="/data/text", new="other"), 409, why)
    assert "text" in box.listed("/data")


def test_what_the_container_s_program_says_is_passed_on(boxes: dict[str, Box]) -> None:
    refused(act(boxes["running"], "delete", path="/mnt"), 409, "rm: can't remove '/mnt'")


# ---------------------------------------------------------------- dialogs
@pytest.mark.parametrize(
    ("verb", "fields", "status", "words"),
    [
        ("folder", {"path": "/data", "name": "a/b"}, 422, "no slash"),
        ("new", {"path": "/data", "name": ""}, 422, "1 to 255 bytes"),
        ("rename", {"path": "/data/text", "new": ".."}, 422, "no slash"),
        ("chmod", {"path": "/data/text", "mode": "<b>"}, 422, "three or four digits"),
        ("delete", {"path": "/data/gone"}, 422, "There is no /data/gone"),
        ("upload", {"path": "/data"}, 422, "Choose at least one file"),
    ],
)
def test_a_dialog_says_what_is_wrong_and_keeps_what_was_typed(
    boxes: dict[str, Box], verb: str, fields: dict[str, str], status: int, words: str
) -> None:
    answer = boxes["running"].form(verb, **fields)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "<b>" not in answer.text
    asked = boxes["running"].get(
        f"ask/{'file' if verb == 'new' else verb}/", path=fields["path"].replace("gone", "text")
    )
    assert asked.ok
    assert "<dialog" in asked.text


def test_pages_do_what_they_say(boxes: dict[str, Box]) -> None:
    box = boxes["running"]
    for verb, fields in (
        ("folder", {"path": "/data", "name": "by page"}),
        ("new", {"path": "/data/by page", "name": "x"}),
        ("rename", {"path": "/data/by page/x", "new": "y"}),
        ("chmod", {"path": "/data/by page/y", "mode": "0600"}),
    ):
        assert box.form(verb, **fields).status_code == 204
    assert box.listed("/data/by page")["y"]["mode"] == "0600"
    assert box.form("delete", path="/data/by page").headers["HX-Redirect"].endswith("?path=%2Fdata")
    assert "by page" not in box.listed("/data")


def test_deleting_says_what_else_is_there(boxes: dict[str, Box], docker_engine: DockerEngine) -> None:
    volume = docker_engine.docker("inspect", "-f", "{{(index .Mounts 0).Name}}", boxes["running"].name).strip()
    asked = boxes["running"].get("ask/delete/", path="/mnt/x").text
    assert f"/mnt is the volume {volume}: every container that uses it is affected." in asked
    assert "is the volume" not in boxes["running"].get("ask/delete/", path="/mntx").text


@pytest.mark.django_db
def test_nobody_changes_files_by_a_link_or_without_the_right(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("ada", "admin"))
    verbs = ("save", "folder", "new", "rename", "chmod", "delete", "upload")
    for verb in verbs:
        assert client.get(f"/containers/quay/web/files/{verb}/?path=/x").status_code == 405
    client.force_login(person("vera", "viewer"))
    for verb in verbs:
        assert client.post(f"/containers/quay/web/files/{verb}/", {"path": "/x"}).status_code == 403
    assert client.get("/containers/quay/web/files/ask/delete/?path=/x").status_code == 403
    body = {"path": "/x", "new": "y", "mode": "600"}
    for verb in ("make", "rename", "chmod", "delete"):
        url = f"/api/v1/containers/quay/web/files/{verb}"
        assert client.post(url, body, content_type="application/json").status_code == 403
    form = {"files": SimpleUploadedFile("x", b"x")}
    assert client.post("/api/v1/containers/quay/web/files/upload?path=/x", form).status_code == 403
    assert not Job.objects.exists()


def test_every_change_is_in_the_audit(boxes: dict[str, Box], product: Product) -> None:
    box = boxes["running"]
    act(box, "make", path="/data/audited", kind="file")
    write(box, "/data/audited", "x")
    act(box, "chmod", path="/data/audited", mode="600")
    act(box, "rename", path="/data/audited", new="noted")
    act(box, "delete", path="/data/noted")
    act(box, "delete", path="/data/noted")
    code = (
        "from accounts.models import AuditEntry; print(*[f'{e.action} {e.outcome} {e.actor_name}' for e in"
        " AuditEntry.objects.filter(detail__path__in=['/data/audited', '/data/noted']).order_by('pk')], sep=chr(10))"
    )
    assert product.manage("shell", "-v", "0", "-c", code).splitlines() == [
        "container.file.make_file done admin",
        "container.file.write done admin",
        "container.file.chmod done admin",
        "container.file.rename done admin",
        "container.file.delete done admin",
        "container.file.delete failed admin",
    ]


@pytest.mark.parametrize("letter", ["\udcff", "\ud800"], ids=["a byte", "half a pair"])
def test_a_name_of_bytes_that_are_no_text_is_refused(boxes: dict[str, Box], letter: str) -> None:
    path, box = f"/data/{letter}raw", boxes["running"]
    refused(act(box, "chmod", path=path, mode="0711"), 422, "no UTF-8")
    refused(act(box, "rename", path=path, new="x"), 422, "no UTF-8")
    refused(act(box, "delete", path=path), 422, "no UTF-8")
    refused(act(box, "make", path=f"{path}/more", kind="folder"), 422, "no UTF-8")
