"""A container becomes an image or a tar, is waited for, and goes when it does not run: on a real engine, by its doors."""

import io
import json
import re
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.test import Client

from accounts.models import User
from hosts.models import Host
from jobs.models import Job
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.runner import Runner
from tests.engines.ways import AnyEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def raft(product: Product, podman_engine: PodmanEngine) -> Iterator[PodmanEngine]:
    """A Podman host of the product."""
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    until(lambda: product.api("hosts/raft")["state"] == "online", "raft is online")
    yield podman_engine
    product.api("hosts/raft", "DELETE")


def shows(product: Product, host: str, name: str, state: str = "") -> dict[str, Any]:
    """The container in the tables, in this state."""

    def found() -> Any:
        rows = product.api(f"containers?host={host}&search={name}")["items"]
        return next((row for row in rows if row["name"] == name and state in {"", row["state"]}), None)

    row: dict[str, Any] = until(found, f"{name} shows {state}")
    return row


def sent(product: Product, path: str, **fields: Any) -> int:
    """The job that a form has started."""
    answer = product.post(path, **fields)
    found = re.fullmatch(rf"{product.url}/jobs/(\d+)/", answer.url)
    assert answer.ok and found, f"{answer.status_code} {answer.url} {answer.text[:500]}"
    return int(found[1])


def image(engine: AnyEngine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.docker("image", "inspect", name))[0]
    return found


# ---------------------------------------------------------------- commit
@pytest.mark.core
def test_a_container_is_saved_as_an_image_with_its_files_and_changes(
    product: Product, docker_engine: DockerEngine, run: Runner
) -> None:
    name = run("echo kept > /kept; echo ready; sleep 1000")
    shows(product, "local", name, "running")
    until(lambda: "ready" in docker_engine.docker("logs", name), "the file is written")
    fields = {"image": "team/saved:debug", "message": "as it was", "author": "Ada <ada@example.org>", "pause": "1"}
    changes = '# a comment\nENV A=1 \\\n  B=two\nCMD ["cat", "/kept"]\n'
    job = ended(product, sent(product, f"/containers/local/{name}/commit/", **fields, changes=changes))
    try:
        assert job["error"] == ""
        assert job["state"] == "done"
        assert job["result"]["image"] == "team/saved:debug"
        made = image(docker_engine, "team/saved:debug")
        assert made["Id"] == job["result"]["id"]
        assert (made["Comment"], made["Author"]) == ("as it was", "Ada <ada@example.org>")
        assert {"A=1", "B=two"} <= set(made["Config"]["Env"])
        assert docker_engine.docker("run", "--rm", "team/saved:debug") == "kept\n"
        until(lambda: product.api("images?search=team/saved")["count"] == 1, "the image shows")
    finally:
        docker_engine.docker("rmi", "-f", "team/saved:debug")


@pytest.mark.core
def test_an_image_is_saved_over_rest_and_on_podman_too(product: Product, raft: PodmanEngine) -> None:
    raft.docker("run", "-d", "--name", "podded", "busybox", "sh", "-c", "echo kept > /kept; sleep 1000")
    shows(product, "raft", "podded", "running")
    until(lambda: raft.docker("exec", "podded", "cat", "/kept") == "kept\n", "the file is written")
    body = {"image": "localhost/podded", "changes": "ENV A=1\nLABEL b=2", "pause": False}
    job = ended(product, product.api("containers/raft/podded/commit", "POST", **body)["job"])
    assert job["error"] == ""
    assert job["state"] == "done"
    made = image(raft, "localhost/podded:latest")
    assert "A=1" in made["Config"]["Env"]
    assert made["Config"]["Labels"]["b"] == "2"
    raft.docker("rm", "-f", "podded")
    raft.docker("rmi", "-f", "localhost/podded:latest")


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    stopped = {"State": "exited", "Status": "Exited (0) 2 hours ago"}
    labelled = {**stopped, "Labels": {"team": "blue"}}
    containers(a_host(), container_json("web"), container_json("old", **stopped), container_json("blue", **labelled))
    return client


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "typed"),
    [
        *(("image", name) for name in ("", "UPPER", "a b", "a@sha256:" + "0" * 64, "x" * 500, "a\0b")),
        *(("message", text) for text in ("two\nlines", "x" * 501)),
        ("author", "a\0b"),
        *(("changes", text) for text in ("RUN rm -rf /", "ENV", "FROM x", "ENV a=1\nCOPY a b", "ENV a=b\0", "ENV a\n" * 101)),
    ],
)  # fmt: skip
def test_a_wrong_value_of_a_new_image_is_named_and_kept(admin: Client, field: str, typed: str) -> None:
    fields = {"image": "team/app:1", "message": "", "author": "", "changes": "", field: typed}
    answer = admin.post("/containers/quay/web/commit/", fields, headers=FRAGMENT)
    assert answer.status_code == 422
    assert answer.context["field"] == field
    assert answer.context["typed"][field] == typed
    assert f'id="commit-{field}-error"' in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.core
@pytest.mark.django_db
def test_what_an_image_is_changed_by_shows_nowhere(admin: Client) -> None:
    fields = {"image": "team/app:1", "changes": "ENV PASSWORD=canary-4711"}
    assert admin.post("/containers/quay/web/commit/", fields).status_code == 302
    job = Job.objects.get()
    assert job.sealed == {"changes": "ENV PASSWORD=canary-4711"}
    shown = admin.get(f"/jobs/{job.pk}/").content.decode() + admin.get(f"/api/v1/jobs/{job.pk}").content.decode()
    assert "canary-4711" not in shown + json.dumps(job.params)


# ---------------------------------------------------------------- export
@pytest.mark.core
@pytest.mark.parametrize("where", ["local", "raft"])
def test_the_files_of_a_container_come_as_a_tar(
    product: Product, docker_engine: DockerEngine, raft: PodmanEngine, where: str
) -> None:
    engine: AnyEngine = docker_engine if where == "local" else raft
    script = "echo kept > /kept; head -c 3000000 /dev/urandom > /random"
    engine.docker("run", "--name", "exported", "busybox", "sh", "-c", script)
    shows(product, where, "exported", "exited")
    page = product.http.get(f"{product.url}/containers/{where}/exported/export/", timeout=30)
    assert page.headers["Content-Disposition"] == 'attachment; filename="exported.tar"'
    headers = {"Authorization": f"Bearer {product.token}"}
    rest = requests.get(f"{product.url}/api/v1/containers/{where}/exported/export", headers=headers, timeout=30)
    for answer in (page, rest):
        assert answer.status_code == 200
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            file = tar.extractfile("kept")
            assert file is not None and file.read() == b"kept\n"
            assert tar.getmember("random").size == 3_000_000
    engine.docker("rm", "exported")


@pytest.mark.core
def test_a_download_that_the_engine_cuts_does_not_end_as_if_it_were_whole(
    product: Product, docker_engine: DockerEngine
) -> None:
    with DockerEngine("cutter", tcp=True) as engine:
        engine.docker("import", "-", "busybox", stdin=busybox())
        engine.docker(
            "run", "--name", "big", "busybox", "/bin/busybox", "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=200"
        )
        product.api("hosts", "POST", name="cutter", url=engine.url)
        try:
            shows(product, "cutter", "big", "exited")
            url = f"{product.url}/containers/cutter/big/export/"
            with product.http.get(url, stream=True, timeout=30) as answer, pytest.raises(requests.RequestException):
                blocks = answer.iter_content(64 * 1024)
                assert next(blocks)
                engine.kill()
                for _block in blocks:
                    pass
        finally:
            product.api("hosts/cutter", "DELETE")


def busybox() -> bytes:
    from tests.engines.images import root_file_system

    return root_file_system()


# ---------------------------------------------------------------- wait
@pytest.mark.core
@pytest.mark.parametrize("where", ["local", "raft"])
def test_waiting_answers_with_the_exit_code_or_says_to_ask_again(
    product: Product, docker_engine: DockerEngine, raft: PodmanEngine, where: str
) -> None:
    engine: AnyEngine = docker_engine if where == "local" else raft
    engine.docker(
        "run", "-d", "--name", "awaited", "busybox", "sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; exit 7"
    )
    shows(product, where, "awaited", "running")
    began = time.monotonic()
    assert product.api(f"containers/{where}/awaited/wait?timeout=1", "POST")["state"] == "running"
    assert 0.9 < time.monotonic() - began < 5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(product.api, f"containers/{where}/awaited/wait?timeout=20", "POST")
        engine.docker("exec", "awaited", "touch", "/go")
        assert waiting.result(20) == {"exit_code": 7, "error": ""}
    engine.docker("rm", "-f", "awaited")


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"), [("condition=dead", "condition"), ("timeout=61", "timeout"), ("timeout=0", "timeout")]
)
def test_a_wrong_wish_to_wait_is_named(admin: Client, query: str, field: str) -> None:
    answer = admin.post(f"/api/v1/containers/quay/web/wait?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


# ---------------------------------------------------------------- what differs
@pytest.mark.core
def test_what_differs_from_the_image_is_told_over_rest(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "--name", "changed", "busybox", "sh", "-c", "echo x > /new; rm /etc/group")
    shows(product, "local", "changed", "exited")
    told = product.api("containers/local/changed/diff")
    assert {"kind": "added", "path": "/new"} in told["items"]
    assert {"kind": "deleted", "path": "/etc/group"} in told["items"]
    assert told["count"] == len(told["items"])
    docker_engine.docker("rm", "changed")


# ---------------------------------------------------------------- prune
@pytest.mark.core
def test_a_prune_removes_what_was_shown_and_nothing_else(product: Product, docker_engine: DockerEngine) -> None:
    label = ("--label", "prune=me")
    docker_engine.docker("run", "--name", "gone", *label, "busybox", "sh", "-c", "head -c 100000 /dev/zero > /file")
    docker_engine.docker("create", "--name", "again", *label, "busybox", "sleep", "1000")
    docker_engine.docker("create", "--name", "other", "busybox")
    for name, state in (("gone", "exited"), ("again", "created"), ("other", "created")):
        shows(product, "local", name, state)
    dry = product.api("containers/local/prune", "POST", dry_run=True, label="prune=me")
    assert [row["name"] for row in dry["items"]] == ["again", "gone"]
    html = product.http.get(f"{product.url}/containers/prune/?host=local&label=prune%3Dme").text
    targets = re.findall(r'name="target" value="([0-9a-f]{64})"', html)
    assert sorted(targets) == sorted(row["id"] for row in dry["items"])
    docker_engine.docker("run", "--name", "late", *label, "busybox", "true")  # nobody was shown this one
    docker_engine.docker("start", "again")
    shows(product, "local", "late", "exited")
    job = ended(product, sent(product, "/containers/prune/", host="local", target=targets))
    left = docker_engine.docker("ps", "-a", "--format", "{{.Names}}").split()
    docker_engine.docker("rm", "-f", "again", "other", "late")
    assert {"again", "other", "late"} <= set(left)
    assert "gone" not in left
    assert (job["state"], job["result"]["containers"]) == ("done", 1)
    assert job["result"]["bytes"] >= 100_000


@pytest.mark.core
@pytest.mark.django_db
def test_the_list_of_a_prune_follows_what_was_chosen(admin: Client) -> None:
    def listed(query: str) -> list[str]:
        return [row.name for row in admin.get(f"/containers/prune/?host=quay{query}").context["found"]]

    assert listed("") == ["blue", "old"]
    assert listed("&label=team%3Dblue") == ["blue"]
    assert listed("&hours=1") == ["blue", "old"]  # made long ago, and nobody knows when they ended
    assert listed("&hours=nonsense&label=none") == []
    dialog = admin.get("/containers/prune/", headers=FRAGMENT).content.decode()
    assert "<dialog" in dialog
    assert "Remove 2 containers" in dialog
    containers(Host.objects.get(), container_json("web"), container_json("prune"))
    assert admin.get("/api/v1/containers/quay/prune").json()["name"] == "prune"
    refused = admin.post("/api/v1/containers/quay/prune", {"hours": -1}, "application/json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.hours")
    inside = admin.get("/containers/prune/?host=quay", headers=FRAGMENT | {"HX-Target": "prune-form"}).content.decode()
    assert "<dialog" not in inside
    running = admin.get("/api/v1/containers/quay/web").json()["id"]
    refused = admin.post("/containers/prune/", {"host": "quay", "target": [running]})
    assert refused.status_code == 422
    assert "There is no container to remove" in refused.content.decode()
    assert admin.post("/containers/prune/", {"host": "gone", "target": [running]}).status_code == 422
    assert not Job.objects.exists()


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["commit", "export"])
def test_a_viewer_may_neither_save_nor_take_nor_prune(admin: Client, path: str) -> None:
    viewer: User = person("vera", "viewer")
    admin.force_login(viewer)
    assert admin.get(f"/containers/quay/web/{path}/").status_code == 403
    assert admin.get("/containers/prune/").status_code == 403
    assert admin.post("/api/v1/containers/quay/prune", {}, "application/json").status_code == 403
    assert admin.post("/api/v1/containers/quay/web/commit", {"image": "a:1"}, "application/json").status_code == 403
    assert admin.get("/api/v1/containers/quay/web/export").status_code == 403
