"""Building images as a person does it: a form is sent, and the job is watched while the engine builds."""

import io
import json
import subprocess
import tarfile
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hosts.engine import contexts
from hosts.engine.errors import BadContext
from hosts.registry.froms import registries_of
from jobs.models import Job
from tests.engines import network
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import tar_of
from tests.engines.registry import PASSWORD, Registry
from tests.engines.runner import Runner
from tests.fake_engine import FakeEngine, Raw
from tests.hosts.logins import stored
from tests.hosts.watched import Watched
from tests.rows import a_host, person
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
SECRET = "canary-0815"
NAME = "quay/built:1"
DOCKERFILE = """FROM busybox AS first
ARG VERSION
ARG TOKEN
COPY note.txt /note.txt
RUN echo version $VERSION token $TOKEN
FROM first AS second
RUN echo never
"""


@pytest.fixture
def online(product: Product, docker_engine: DockerEngine) -> Iterator[None]:
    """The host `local`; what was built goes afterwards."""
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    yield
    if docker_engine.docker("images", "-q", NAME).strip():
        docker_engine.docker("rmi", "-f", NAME)


def build(product: Product, *files: tuple[str, bytes], **fields: str) -> Watched:
    headers = {"Referer": f"{product.url}/", "X-CSRFToken": product.http.cookies.get("csrftoken") or ""}
    sent = [("files", file) for file in files] or [("nothing", ("", b""))]
    fields = {"host": "local", "name": NAME} | fields
    answer = product.http.post(f"{product.url}/images/build/", fields, files=sent, headers=headers, timeout=60)
    assert answer.ok and "/jobs/" in answer.url, f"{answer.status_code} {answer.text[-3000:]}"
    return Watched(product, int(answer.url.rstrip("/").rpartition("/")[2]))


def inspect(engine: DockerEngine) -> Any:
    return json.loads(engine.docker("inspect", NAME))[0]


def inside(engine: DockerEngine, *command: str) -> str:
    return engine.docker("run", "--rm", NAME, *command)


@pytest.mark.usefixtures("no_upload_left")
def test_a_typed_dockerfile_is_built_with_all_that_was_asked_for(
    product: Product, docker_engine: DockerEngine, online: None
) -> None:
    fields = {
        "source": "dockerfile",
        "dockerfile": DOCKERFILE,
        "args": "VERSION=1.2",
        "secret_args": f"TOKEN={SECRET}",
        "labels": "team=quay\nstage=one",
        "target": "first",
        "no_cache": "1",
    }
    with build(product, ("note.txt", b"a note"), **fields) as watched:
        end = watched.end(60)
    assert (end["state"], end["error"]) == ("done", "")
    assert any(line.startswith("Step 1/") for line in watched.log)
    assert "version 1.2 token •••" in watched.log
    refused = product.http.get(f"{product.url}/jobs/{watched.job}/schedule/")
    assert refused.status_code == 409 and "the files that were sent are gone" in refused.text
    shown = inspect(docker_engine)
    assert shown["Config"]["Labels"] == {"team": "quay", "stage": "one"}
    assert product.api(f"jobs/{watched.job}")["result"] == {"image": NAME, "id": shown["Id"]}
    assert inside(docker_engine, "cat", "/note.txt") == "a note"
    assert "never" not in str(watched.log)
    assert SECRET not in str(watched.messages) + str(product.api(f"jobs/{watched.job}")) + product.output
    percents = [message["percent"] for message in watched.messages]
    assert percents == sorted(percents)


def test_steps_have_the_network_hosts_and_shared_memory_that_were_asked_for(
    product: Product, docker_engine: DockerEngine, run: Runner, online: None
) -> None:
    dockerfile = "FROM busybox\nRUN cat /etc/hosts; df -k /dev/shm; ls /sys/class/net | xargs echo links\n"
    fields = {"source": "dockerfile", "dockerfile": dockerfile, "no_cache": "1"}
    hosts = {"extra_hosts": "db:10.9.8.7\nweb.quay=fd00::7", "shm_size": "3m"}
    with build(product, **fields, **hosts, network="none") as watched:
        assert watched.end(60)["error"] == ""
    words = [line.split() for line in watched.log]
    assert ["10.9.8.7", "db"] in words and ["fd00::7", "web.quay"] in words
    assert any(line[:2] == ["shm", "3072"] for line in words)
    assert ["links", "lo"] in words
    other = run("sleep 600")
    until(lambda: product.api(f"containers/local/{other}")["state"] == "running", "it is known")
    with build(product, **fields, network=f"container:{other}") as watched:
        assert watched.end(60)["error"] == ""
    links = docker_engine.docker("exec", other, "ls", "/sys/class/net").split()
    assert ["links", *links] in [line.split() for line in watched.log] and len(links) > 1
    with build(product, **fields, network="nowhere") as watched:
        error = watched.end(60)["error"]  # an engine that was in a swarm once does not name it
        assert "network nowhere not found" in error or "attaching to network" in error


def an_arm_image(name: str) -> bytes:
    """As `docker load` takes it."""
    layer = tar_of({"note": b"for arm"})
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]}
    config = {"architecture": "arm64", "os": "linux", "rootfs": rootfs, "config": {}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"manifest.json": json.dumps(manifest), "config.json": json.dumps(config)}
    return tar_of({"layer.tar": layer} | {path: text.encode() for path, text in files.items()})


def test_an_image_is_built_for_another_platform_or_it_is_said_that_it_was_not(
    product: Product, docker_engine: DockerEngine, online: None
) -> None:
    docker_engine.docker("load", stdin=an_arm_image("quay/arm:latest"))
    fields = {"source": "dockerfile", "platform": "linux/arm64"}
    try:
        with build(product, **fields, dockerfile="FROM quay/arm\nLABEL a=b\n") as watched:
            assert watched.end(60)["error"] == ""
        assert inspect(docker_engine)["Architecture"] == "arm64"
        with build(product, **fields, dockerfile="FROM busybox\nLABEL a=b\n") as watched:
            assert "was built for linux/amd64, not for linux/arm64" in watched.end(60)["error"]
        assert f"{NAME} for linux/amd64 is on local now" in str(product.api(f"jobs/{watched.job}"))
    finally:
        docker_engine.docker("rmi", "-f", NAME, "quay/arm")


def test_a_folder_is_built_without_what_its_dockerignore_names(
    product: Product, docker_engine: DockerEngine, online: None
) -> None:
    files = {
        ".dockerignore": b"# comment\n*.key\nbuild\n!build/keep\nDockerfile\n",
        "app/Dockerfile": b"FROM busybox\nCOPY . /all\n",
        "main.txt": b"main",
        "secret.key": b"no",
        "build/out": b"no",
        "build/keep": b"kept",
        "deep/er/file": b"x" * 700_000,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with build(product, ("app.tar.gz", packed.getvalue()), source="tar", path="app/Dockerfile") as watched:
        end = watched.end(60)
    assert (end["state"], end["error"]) == ("done", "")
    found = set(inside(docker_engine, "find", "/all", "-type", "f").split())
    assert {"/all/main.txt", "/all/build/keep", "/all/deep/er/file"} <= found
    assert not found & {"/all/secret.key", "/all/build/out"}
    assert inside(docker_engine, "wc", "-c", "/all/deep/er/file").split()[0] == "700000"


def test_the_step_that_failed_is_named(product: Product, docker_engine: DockerEngine, online: None) -> None:
    with build(product, source="dockerfile", dockerfile="FROM busybox\nRUN echo before; exit 3\n") as watched:
        end = watched.end(60)
    assert end["state"] == "failed"
    assert "Step 2/2 : RUN echo before; exit 3" in end["error"]
    assert "code: 3" in end["error"]
    assert "before" in watched.log


def test_cancelling_ends_the_build_on_the_engine(product: Product, docker_engine: DockerEngine, online: None) -> None:
    with build(product, source="dockerfile", dockerfile="FROM busybox\nRUN echo begun; sleep 300\n") as watched:
        watched.until(lambda message: "begun" in message["log"], 60)
        began = time.monotonic()
        product.post(f"/jobs/{watched.job}/cancel/")
        assert watched.end(5)["state"] == "cancelled"
        assert time.monotonic() - began < 2
    until(lambda: "sleep 300" not in docker_engine.docker("ps", "-a", "--no-trunc"), "its container is gone")
    assert "stay on the host as cache" in str(product.api(f"jobs/{watched.job}"))


def test_a_git_repository_is_fetched_by_the_engine_whenever_its_time_has_come(
    product: Product, docker_engine: DockerEngine, online: None, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    (work / "sub" / "Dockerfile").write_text("FROM busybox\nCOPY told /told\n")
    (work / "sub" / "told").write_text("from git")
    git = ("git", "-c", "user.name=Quay", "-c", "user.email=quay@example.com", "-C", str(work))
    for command in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "first")):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(tmp_path / "app.git")], check=True)
    subprocess.run(["git", "-C", str(tmp_path / "app.git"), "update-server-info"], check=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    gateway = network.gateway(docker_engine.run.slot)
    server = ThreadingHTTPServer((gateway, 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://robot:{SECRET}@{gateway}:{server.server_port}/app.git#main:sub"
        with build(product, source="git", remote=address) as watched:
            end = watched.end(60)
        assert (end["state"], end["error"]) == ("done", "")
        assert inside(docker_engine, "cat", "/told") == "from git"
        when = {"job": watched.job, "name": "nightly build", "cron": "30 2 * * *", "timezone": "UTC"}
        schedule = product.api("schedules", "POST", **when)["id"]
        (work / "sub" / "told").write_text("from git, later")
        for again in (("commit", "-q", "-a", "-m", "second"), ("push", "-q", str(tmp_path / "app.git"), "main")):
            subprocess.run([*git, *again], check=True)
        subprocess.run(["git", "-C", str(tmp_path / "app.git"), "update-server-info"], check=True)
        with Watched(product, product.api(f"schedules/{schedule}/run", "POST")["job"]) as watched:
            assert watched.end(60)["state"] == "done"
        assert inside(docker_engine, "cat", "/told") == "from git, later"
        product.api(f"schedules/{schedule}", "DELETE")
        with build(product, source="git", remote=address.replace("app.git", "none.git")) as watched:
            end = watched.end(60)
        assert end["state"] == "failed"
        assert SECRET not in str(watched.messages)
    finally:
        server.shutdown()
        server.server_close()


# ---------------------------------------------------------------- upon images of registries with login
@pytest.fixture
def base(docker_engine: DockerEngine, locked_registry: Registry) -> Iterator[str]:
    """An image that only who logs in may have."""
    yield locked_registry.push(docker_engine, "busybox", "team/base:1")
    if docker_engine.docker("images", "-q", f"{locked_registry.address}/team/base").strip():
        docker_engine.docker("rmi", f"{locked_registry.address}/team/base:1")


def test_the_accounts_that_the_dockerfile_needs_log_in(
    product: Product, docker_engine: DockerEngine, online: None, base: str, locked_registry: Registry
) -> None:
    with stored(product, locked_registry, "locked") as locked:
        fields: dict[str, str] = {"source": "dockerfile", "dockerfile": f"FROM {base}\nRUN true\n"}
        with build(product, **fields, accounts=str(locked.wrong)) as watched:
            end = watched.end(60)
        assert f"does not take the login of mallory for {base}" in end["error"]
        with build(product, **fields, no_login="1") as watched:
            assert "Choose an account that may have it" in watched.end(60)["error"]
        with build(product, **fields) as watched:
            end = watched.end(60)
        assert (end["state"], end["error"]) == ("done", "")
        docker_engine.docker("rmi", NAME, base)
        packed = tar_of({"Dockerfile": f"ARG FROM={base}\nFROM $FROM\n".encode()})
        with build(product, ("app.tar", packed), source="tar") as watched:
            assert watched.end(60)["error"] == ""


class Heard(Raw):
    """Says no, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        self.config: dict[str, Any] | None = None

    async def __call__(self, request: Any, connection: Any, normal: Any) -> None:
        header = request.headers.get("x-registry-config")
        self.config = json.loads(urlsafe_b64decode(header)) if header else None
        await super().__call__(request, connection, normal)


def test_only_the_accounts_of_registries_that_it_names_are_sent(
    product: Product, fake_engine: FakeEngine, locked_registry: Registry, token_registry: Registry
) -> None:
    heard = Heard()
    fake_engine.misbehave("/build", heard)
    product.api("hosts", "POST", name="fake", url=fake_engine.url)
    first, second = locked_registry.address, token_registry.address
    try:
        until(lambda: product.api("hosts/fake")["state"] == "online", "fake is online")
        with stored(product, locked_registry, "locked"), stored(product, token_registry, "token"):
            for dockerfile, wanted in (
                (f"FROM {first}/team/app", {first}),
                ("FROM busybox", set()),
                (f"FROM busybox\nCOPY --from={second}/team/app /a /b", {second}),
                ("ARG X\nFROM $X/team/app", {first, second}),
            ):
                with build(product, host="fake", source="dockerfile", dockerfile=dockerfile) as watched:
                    assert watched.end()["state"] == "failed"
                assert {*(heard.config or {})} == wanted, dockerfile
                if wanted:
                    assert heard.config and all(entry["password"] == PASSWORD for entry in heard.config.values())
                assert PASSWORD not in str(watched.messages)
            both = product.http.get(f"{product.url}/images/build/").text
            assert "mallory" in both and PASSWORD not in both
    finally:
        product.api("hosts/fake", "DELETE")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("FROM alpine AS one\nFROM one\nFROM scratch", {"docker.io"}),
        ("FROM --platform=linux/arm64 ghcr.io/a/b:1 AS x\nCOPY --from=x /a /b\nCOPY --from=0 /a /b", {"ghcr.io"}),
        ("ARG TAG=1\nFROM \\\n  quay.io/a/b:${TAG}\nARG LATER=x\n", {"quay.io"}),
        ("ARG WHERE\nFROM ${WHERE:-r.example.com}/a", {"r.example.com"}),
        ("FROM a\nARG WHERE=ghcr.io\nFROM $WHERE/x", None),
        ("# FROM evil.example.com/x\nFROM busybox\nRUN --mount=type=bind,from=r:5/x cat", {"docker.io", "r:5"}),
        ("", set()),
    ],
)
def test_registries_are_read_from_a_dockerfile(text: str, wanted: set[str] | None) -> None:
    assert registries_of(text, {}) == wanted


# ---------------------------------------------------------------- without an engine
@pytest.mark.django_db
def test_a_wrong_value_is_said_at_its_field_and_the_rest_stays(client: Client) -> None:
    a_host()
    client.force_login(person("otto", "deployer"))
    good = {"host": "quay", "name": NAME, "source": "dockerfile", "dockerfile": "FROM busybox", "args": "A=b"}
    for wrong, field in (
        ({"host": "gone"}, "host"),
        ({"name": "UPPER"}, "name"),
        ({"source": "moon"}, "source"),
        ({"dockerfile": " "}, "dockerfile"),
        ({"source": "tar"}, "files"),
        ({"files": SimpleUploadedFile("Dockerfile", b"x")}, "files"),
        ({"source": "git", "remote": "file:///etc"}, "remote"),
        ({"source": "git", "remote": "ssh://git@example.com/x.git"}, "remote"),
        ({"source": "git", "remote": "https://[bad/x.git"}, "remote"),
        ({"source": "git", "remote": "https://example.com/x.git", "path": "../Dockerfile"}, "path"),
        ({"args": "no value"}, "args"),
        ({"secret_args": f"1={SECRET}"}, "secret_args"),
        ({"labels": "=x"}, "labels"),
        ({"target": "a b"}, "target"),
        ({"cache_from": "UPPER"}, "cache_from"),
        ({"accounts": ["4711"]}, "accounts"),
        ({"platform": "linux arm"}, "platform"),
        ({"network": "a b"}, "network"),
        ({"network": "container:gone"}, "network"),
        ({"extra_hosts": "db"}, "extra_hosts"),
        ({"extra_hosts": "db:10.0.0"}, "extra_hosts"),
        ({"extra_hosts": "d/b:10.0.0.3"}, "extra_hosts"),
        ({"shm_size": "much"}, "shm_size"),
        ({"shm_size": "-1"}, "shm_size"),
        ({"shm_size": "99999p"}, "shm_size"),
    ):
        answer = client.post("/images/build/", good | wrong)
        assert (answer.status_code, answer.context["field"]) == (422, field)
        shown = answer.content.decode()
        assert f'id="{field}-error"' in shown
        assert SECRET not in shown
        assert field == "args" or "A=b" in shown
    assert not Job.objects.exists()
    client.force_login(person("vera", "viewer"))
    assert client.post("/images/build/", good).status_code == 403


@pytest.mark.django_db
def test_files_of_a_queued_job_go_when_it_is_cancelled(
    client: Client, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.UPLOADS = tmp_path
    a_host()
    client.force_login(person("ada", "admin"))
    file = lambda: SimpleUploadedFile("a.tar", b"x" * 2000)  # noqa: E731
    build = {"host": "quay", "name": NAME, "source": "tar", "files": [file()]}
    for path, fields in (
        ("/images/build/", build),
        ("/images/load/", {"host": "quay", "file": file()}),
        ("/images/load/", {"host": "quay", "kind": "import", "name": "a:1", "file": file()}),
        ("/plugins/create/", {"host": "quay", "name": "a:1", "file": file()}),
    ):
        job = int(client.post(path, fields).headers["Location"].rstrip("/").rpartition("/")[2])
        assert len(list(tmp_path.iterdir())) == 1, path
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/jobs/{job}/cancel/")
        assert Job.objects.get(pk=job).state == "cancelled"
        assert list(tmp_path.iterdir()) == [], path


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    place = tmp_path / "context.tar"
    place.write_bytes(tar_of({"Dockerfile": b"FROM busybox", name: b"x"}))
    with pytest.raises(BadContext, match="leaves the folder"):
        list(contexts.of_tar(place, "Dockerfile"))


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "context.tar"
    for content in (b"", b"nothing" * 500, tar_of({"Dockerfile": b"x" * 5000})[:2000]):
        place.write_bytes(content)
        with pytest.raises(BadContext):
            list(contexts.of_tar(place, "Dockerfile"))
