"""Images as files and from host to host, on real engines: saved, loaded, imported, copied."""

import io
import json
import tarfile
import time
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from jobs.models import Job
from tests.engines import network
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_layered, root_file_system
from tests.engines.slow import SlowProxy
from tests.hosts.watched import Watched
from tests.rows import a_host, person
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
NAME = "quay/filed:1"


@pytest.fixture(scope="module")
def image(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    """An image of 3 x 2 MB on the host `local`, known to the product; its id."""
    make_layered(docker_engine, NAME, layers=3)
    found = docker_engine.docker("images", "-q", "--no-trunc", NAME).strip()
    until(lambda: knows(product, "local", found), "the image shows")
    yield found
    docker_engine.docker("rmi", "-f", found)


@pytest.fixture(scope="module")
def other(product: Product) -> Iterator[DockerEngine]:
    """Another engine, the host `barge`."""
    with DockerEngine("barge", tcp=True) as engine:
        product.api("hosts", "POST", name="barge", url=engine.url)
        until(lambda: product.api("hosts/barge")["state"] == "online", "barge is online")
        yield engine
        product.api("hosts/barge", "DELETE")


def knows(product: Product, host: str, image: str) -> bool:
    return image in {row["id"] for row in product.api(f"images?host={host}&limit=200")["items"]}


def ids(engine: DockerEngine) -> list[str]:
    return engine.docker("images", "-q", "--no-trunc").split()


def upload(product: Product, content: bytes, **fields: str) -> int:
    """Sends the form with a file; the status, or the job that it leads to."""
    headers = {"Referer": f"{product.url}/", "X-CSRFToken": product.http.cookies.get("csrftoken") or ""}
    files = {"file": ("image.tar", content)}
    answer = product.http.post(f"{product.url}/images/load/", fields, files=files, headers=headers, timeout=60)
    assert answer.ok and "/jobs/" in answer.url, f"{answer.status_code} {answer.text[-3000:]}"
    return int(answer.url.rstrip("/").rpartition("/")[2])


@pytest.mark.usefixtures("no_upload_left")
# ---------------------------------------------------------------- files
def test_a_saved_image_is_what_the_engine_saves_and_loads_elsewhere(
    product: Product, other: DockerEngine, image: str
) -> None:
    answer = product.http.get(f"{product.url}/images/local/{image[7:19]}/save/", timeout=60)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="quay_filed_1.tar"'
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert manifest[0]["RepoTags"] == [NAME]
    assert len(manifest[0]["Layers"]) == 4
    with Watched(product, upload(product, answer.content, host="barge", kind="load")) as watched:
        end = watched.end()
    assert (end["state"], end["error"]) == ("done", "")
    assert NAME in watched.log
    assert image in ids(other)
    other.docker("rmi", NAME)


def test_several_images_are_one_file(product: Product, image: str) -> None:
    headers = {"Authorization": f"Bearer {product.token}"}
    address = f"{product.url}/api/v1/images/local/save?image=busybox&image={NAME}"
    answer = product.http.get(address, headers=headers, timeout=60)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert len(manifest) == 2
    assert {name for entry in manifest for name in entry["RepoTags"]} >= {"busybox:latest", NAME}  # all their names


@pytest.mark.usefixtures("no_upload_left")
def test_a_file_that_is_no_image_is_refused_in_the_engine_s_words(product: Product, other: DockerEngine) -> None:
    for content in (b"no tar at all" * 5000, root_file_system()[:100_000]):
        with Watched(product, upload(product, content, host="barge", kind="load")) as watched:
            end = watched.end()
        assert end["state"] == "failed"
        assert "The engine at" in end["error"]


def test_a_root_file_system_becomes_an_image(product: Product, other: DockerEngine) -> None:
    fields = {"name": "quay/imported:2", "message": "from a tar", "changes": 'CMD ["/bin/true"]\nENV MODE=fast\n'}
    with Watched(product, upload(product, root_file_system(), host="barge", kind="import", **fields)) as watched:
        end = watched.end()
    assert (end["state"], end["error"]) == ("done", "")
    shown = json.loads(other.docker("inspect", "quay/imported:2"))[0]
    assert (shown["Config"]["Cmd"], shown["Config"]["Env"], shown["Comment"]) == (
        ["/bin/true"],
        ["MODE=fast"],
        "from a tar",
    )
    assert product.api(f"jobs/{watched.job}")["result"]["id"] == shown["Id"]
    assert other.docker("run", "--rm", "quay/imported:2", "/bin/echo", "works").strip() == "works"
    other.docker("rmi", "quay/imported:2")


# ---------------------------------------------------------------- from host to host
def test_cancelling_a_copy_ends_both_sides_and_leaves_nothing(
    product: Product, docker_engine: DockerEngine, other: DockerEngine, image: str
) -> None:
    before = ids(other)
    with SlowProxy(network.gateway(docker_engine.run.slot), 2375, 2_000_000, to=docker_engine.address) as slow:
        product.api("hosts", "POST", name="slow", url=f"tcp://{slow.address}")
        try:
            until(lambda: knows(product, "slow", image), "the image shows through the slow way")
            slow.bytes_per_second = 1_000_000
            job = product.api(f"images/slow/{NAME}/copy", "POST", to="barge")["job"]
            with Watched(product, job) as watched:
                watched.until(lambda message: 0.1 < message["progress"] < 0.8)
                began = time.monotonic()
                product.post(f"/jobs/{job}/cancel/")
                assert watched.end(5)["state"] == "cancelled"
                assert time.monotonic() - began < 2
            percents = [message["percent"] for message in watched.messages]
            assert percents == sorted(percents)
            assert len(set(percents)) > 2
        finally:
            product.api("hosts/slow", "DELETE")
    assert ids(other) == before


def test_a_copy_is_said_to_fail_by_whoever_failed(product: Product, other: DockerEngine, image: str) -> None:
    other.cut("refuse")
    try:
        with Watched(product, product.api(f"images/local/{NAME}/copy", "POST", to="barge")["job"]) as watched:
            end = watched.end()
        assert end["state"] == "failed"
        assert other.address in end["error"]
    finally:
        other.heal()
        until(lambda: product.api("hosts/barge")["state"] == "online", "barge is online")


# ---------------------------------------------------------------- without an engine
@pytest.mark.django_db
def test_forms_say_what_is_wrong_and_keep_what_was_typed(client: Client) -> None:
    host = a_host()
    apply.apply_rows(host, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "RepoTags": ["acme/web:1"]})])
    client.force_login(person("otto", "deployer"))
    file = SimpleUploadedFile("x.tar", b"content")
    imported = {"host": "quay", "kind": "import", "name": "quay/x:1", "changes": "CMD x", "file": file}
    for wrong, field in (
        ({"host": "gone"}, "host"),
        ({"file": ""}, "file"),
        ({"name": "UPPER"}, "name"),
        ({"message": "x" * 600}, "message"),
        ({"changes": "RUN rm -rf /"}, "changes"),
    ):
        file.seek(0)
        answer = client.post("/images/load/", imported | wrong)
        assert (answer.status_code, answer.context["field"]) == (422, field)
        shown = answer.content.decode()
        assert f'id="{field}-error"' in shown
        assert field in {"name", "changes"} or "quay/x:1" in shown
    for to in ("gone", "quay", "a\0b", ""):
        answer = client.post("/images/quay/111111111111/copy/", {"to": to})
        assert (answer.status_code, answer.context["field"]) == (422, "to")
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_viewer_neither_takes_nor_brings_images(client: Client) -> None:
    host = a_host()
    apply.apply_rows(host, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "RepoTags": ["acme/web:1"]})])
    client.force_login(person("vera", "viewer"))
    assert client.get("/images/quay/111111111111/save/").status_code == 403
    assert client.post("/images/quay/111111111111/copy/", {"to": "x"}).status_code == 403
    assert client.post("/images/load/", {"host": "quay"}).status_code == 403
    assert client.get("/api/v1/images/quay/111111111111/save").status_code == 403
