"""Disk use: measured on a real engine, shown with what can be freed, and a host pruned of exactly what was shown."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.test import Client

from hosts.engine import disk
from hosts.engine.errors import TimedOut
from hosts.inventory import apply
from hosts.models import Host
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import import_busybox
from tests.engines.podman_engine import PodmanEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

ANONYMOUS = "a1" * 32


@pytest.fixture(scope="module")
def hold(product: Product) -> Iterator[DockerEngine]:
    """An engine from which everything may go, a host of the product."""
    with DockerEngine("hold", tcp=True) as engine:
        import_busybox(engine)
        product.api("hosts", "POST", name="hold", url=engine.url)
        until(lambda: product.api("hosts/hold")["state"] == "online", "hold is online")
        yield engine
        product.api("hosts/hold", "DELETE")


def measured(product: Product, host: str) -> dict[str, Any]:
    job = ended(product, product.api(f"disk/{host}/measure", "POST")["job"])
    assert job["state"] == "done", job
    return dict(product.api(f"disk/{host}"))


def build_with_cache(engine: DockerEngine) -> None:
    """Leaves records in BuildKit's cache, and an image. The command line needs another package for that."""
    context, dockerfile = io.BytesIO(), b"FROM busybox\nRUN head -c 300000 /dev/urandom > /one\n"
    with tarfile.open(fileobj=context, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        tar.addfile(entry, io.BytesIO(dockerfile))
    url = f"{engine.url.replace('tcp', 'http')}/v1.41/build"
    session = requests.Session()
    session.trust_env = False
    answer = session.post(url, context.getvalue(), params={"version": "2", "t": "built"}, timeout=60)
    assert answer.ok and "error" not in answer.text, answer.text


def test_what_was_shown_is_removed_and_nothing_else(product: Product, hold: DockerEngine) -> None:
    hold.docker("run", "--name", "ended", "busybox", "sh", "-c", "head -c 700000 /dev/urandom > /kept")
    hold.docker("create", "--name", "later", "busybox", "sleep", "300")
    hold.docker("network", "create", "alone")
    for image in ("only", "again"):  # each the image of one stopped container
        hold.docker("build", "-t", f"{image}:1", "-", stdin=f"FROM busybox\nLABEL a={image}\n".encode())
        hold.docker("create", "--name", image, *(["--network", "alone"] if image == "only" else []), f"{image}:1")
    hold.docker("run", "-d", "--name", "runs", "-v", "used:/data", "busybox", "sleep", "300")
    hold.docker("run", "--rm", "-v", f"{ANONYMOUS}:/data", "busybox", "sh", "-c", "head -c 900000 /dev/zero > /data/f")
    hold.docker("volume", "create", "named")
    hold.docker("network", "create", "quiet")
    build_with_cache(hold)
    told = measured(product, "hold")
    assert told["volumes"]["free"] >= 900_000 and told["containers"]["free"] >= 700_000
    assert told["build_cache"]["bytes"] >= 300_000 and told["build_cache"]["free"] > 0
    assert told["images"]["count"] == 4 and told["measured"] and told["problem"] == ""
    assert {record["kind"] for record in told["cache"]}
    listed = (
        "networks?host=hold&search=quiet",
        f"volumes?host=hold&search={ANONYMOUS}",
        "containers?host=hold&search=ended",
        "containers?host=hold&search=again",
        "images?host=hold&search=again",
    )
    for path in listed:
        until(lambda p=path: product.api(p)["count"], path)
    page = product.http.get(f"{product.url}/disk/").text
    assert "hold" in page and "can be freed" in page

    small = product.api("disk/hold/prune", "POST", dry_run=True, images="none", build_cache=False)
    assert set(small) == {"containers", "networks", "more", "count", "size", "plan"}
    plan = product.api("disk/hold/prune", "POST", dry_run=True, images="all", volumes="anonymous")
    assert {item["name"] for item in plan["containers"]} == {"ended", "later", "only", "again"}
    assert next(item["size"] for item in plan["containers"] if item["name"] == "ended") >= 700_000
    assert [item["name"] for item in plan["networks"]] == ["alone", "quiet"]
    assert {item["name"] for item in plan["images"]} == {"built:latest", "only:1", "again:1"}
    assert [(item["id"], item["size"] >= 900_000) for item in plan["volumes"]] == [(ANONYMOUS, True)]
    assert plan["build_cache"] and plan["size"] > 1_600_000
    dialog = product.http.get(f"{product.url}/disk/prune/?host=hold&images=all&volumes=anonymous").text
    assert all(words in dialog for words in ("quiet", "built:latest", "ended", ANONYMOUS[:20]))
    hold.docker("start", "later")  # since it was shown
    hold.docker("network", "create", "new")
    hold.docker("run", "-d", "--name", "user", "again:1", "sleep", "300")
    job = ended(product, product.api("disk/hold/prune", "POST", plan=plan["plan"])["job"])
    assert job["state"] == "done", job
    result = job["result"]
    assert (result["containers"], result["networks"], result["images"], result["volumes"]) == (3, 2, 2, 1)
    assert result["build_cache"] >= 1 and result["kept"] >= 1 and result["freed"] > 1_600_000
    assert set(hold.docker("ps", "-a", "--format", "{{.Names}}").split()) == {"later", "runs", "user"}
    assert set(hold.docker("volume", "ls", "-q").split()) == {"used", "named"}
    assert set(hold.docker("network", "ls", "--format", "{{.Name}}").split()) == {"bridge", "host", "none", "new"}
    assert set(hold.docker("images", "--format", "{{.Repository}}").split()) == {"busybox", "again"}
    log = product.http.get(f"{product.url}/jobs/{job['id']}/log/").text
    assert "container: ended: removed" in log and "container: later: " in log
    after = measured(product, "hold")
    assert after["build_cache"]["bytes"] < told["build_cache"]["bytes"]
    assert after["volumes"]["free"] < 900_000


def test_a_schedule_prunes_what_fits_by_then(product: Product, hold: DockerEngine) -> None:
    """Each prune is done once after a look at the list, put on a schedule, and has something else to remove then."""
    prunes: list[tuple[str, str, dict[str, Any], list[str]]] = [
        ("containers", "stopped-{}", {"label": "go"}, ["create", "--label", "go", "--name"]),
        ("networks", "lone-{}", {}, ["network", "create"]),
        ("volumes", "empty-{}", {"all": True, "label": "go"}, ["volume", "create", "--label", "go"]),
    ]
    hold.docker("create", "--name", "stays", "busybox")
    hold.docker("volume", "create", "without-label")

    def made(noun: str, command: list[str], name: str) -> None:
        hold.docker(*command, name, *(["busybox"] if noun == "containers" else []))
        until(lambda: product.api(f"{noun}?host=hold&search={name}")["count"], f"{name} is known")

    def names(noun: str) -> set[str]:
        return {item["name"] for item in product.api(f"{noun}?host=hold&limit=100")["items"]}

    for noun, name, choice, command in prunes:
        one, two = name.format("one"), name.format("two")
        made(noun, command, one)
        job = ended(product, product.api(f"{noun}/hold/prune", "POST", **choice)["job"])
        assert job["state"] == "done" and one in job["target"], job
        when = {"job": job["id"], "name": f"each night: {noun}", "cron": "30 2 * * *", "timezone": "UTC"}
        schedule = product.api("schedules", "POST", **when)
        assert one not in schedule["target"]
        made(noun, command, two)
        job = ended(product, product.api(f"schedules/{schedule['id']}/run", "POST")["job"])
        assert (job["state"], job["result"][noun]) == ("done", 1), job
        until(lambda n=noun, gone=two: gone not in names(n), f"{noun} follow")
        product.api(f"schedules/{schedule['id']}", "DELETE")
    assert "stays" in hold.docker("ps", "-a", "--format", "{{.Names}}").split()
    assert "without-label" in hold.docker("volume", "ls", "-q").split()

    plan = product.api("disk/hold/prune", "POST", dry_run=True, images="none", volumes="all", build_cache=False)
    job = ended(product, product.api("disk/hold/prune", "POST", plan=plan["plan"])["job"])
    assert "without-label" not in hold.docker("volume", "ls", "-q").split()
    page = product.post(f"/jobs/{job['id']}/schedule/", name="all of it", cron="0 3 * * *", timezone="UTC")
    assert page.ok and "all of it" in page.text
    made("volumes", ["volume", "create"], "late")
    job = ended(product, product.api(f"schedules/{page.url.rstrip('/').rpartition('/')[2]}/run", "POST")["job"])
    assert (job["state"], job["result"]["volumes"]) == ("done", 1), job
    made("networks", ["network", "create"], "picked")
    chosen = product.api("networks/hold/prune", "POST", networks=[product.api("networks/hold/picked")["id"]])
    told = product.http.get(f"{product.url}/jobs/{ended(product, chosen['job'])['id']}/").text
    assert "/again/" not in told and "/schedule/" not in told  # no rule has made that list


def test_podman_says_what_it_has(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft-disk", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/raft-disk")["state"] == "online", "it is online")
        podman_engine.docker("volume", "create", "load")
        told = measured(product, "raft-disk")
        assert told["images"]["bytes"] > 0 and told["volumes"]["count"] >= 1
        assert told["build_cache"] == {"bytes": 0, "free": 0, "count": 0}
        for path in ("/disk/", "/disk/prune/?host=raft-disk"):
            assert "Podman has no build cache of its own" in product.http.get(f"{product.url}{path}").text
    finally:
        podman_engine.docker("volume", "rm", "-f", "load")
        product.api("hosts/raft-disk", "DELETE")


# ---------------------------------------------------------------- without an engine
@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    host = a_host()
    containers(host, container_json("old", State="exited"), container_json("web"))
    raw = {"LayersSize": 3 << 30, "Containers": [{"Id": "c", "State": "exited", "SizeRw": 1 << 30}]}
    apply.apply_disk(host, disk.reading(raw), 2.0)
    a_host("far", "unreachable")
    return client


@pytest.mark.core
@pytest.mark.django_db
def test_the_page_has_sums_ages_and_reasons(admin: Client) -> None:
    apply.apply_disk_failed(Host.objects.get(name="far"), TimedOut("slow", where="far", seconds=1800))
    html = admin.get("/disk/").content.decode()
    assert "1.0 GiB can be freed" in html and "far did not answer" in html and "3.0 GiB" in html
    told = admin.get("/api/v1/disk").json()
    assert [row["host"] for row in told["items"]] == ["far", "quay"]
    assert told["items"][0]["images"] == {"bytes": None, "free": None, "count": None}
    assert "far did not answer" in admin.get("/hosts/far/").content.decode()
    tile = admin.get("/").content.decode().partition('id="disk-head"')[2].partition("</section>")[0]
    assert "1.0 GiB can be freed" in tile and "3.0 GiB" in tile and "measured" in tile
    assert 'href="/disk/"' in tile


@pytest.mark.core
@pytest.mark.django_db
def test_only_what_was_shown_to_oneself_is_a_plan(admin: Client) -> None:
    def prune(**body: Any) -> Any:
        return admin.post("/api/v1/disk/quay/prune", body, content_type="application/json")

    shown = prune(dry_run=True).json()
    assert [item["name"] for item in shown["containers"]] == ["old"]
    for wrong in ("", "nonsense", shown["plan"][:-2], "a\0b"):
        assert prune(plan=wrong).status_code == 422
        assert admin.post("/disk/prune/", {"host": "quay", "plan": wrong}).status_code == 422
    other = admin.post("/api/v1/disk/far/prune", {"plan": shown["plan"]}, content_type="application/json")
    assert other.status_code == 422
    admin.force_login(person("bo", "admin"))
    assert prune(plan=shown["plan"]).status_code == 422


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_looks_and_prunes_nothing(admin: Client) -> None:
    admin.force_login(person("vera", "viewer"))
    assert "/disk/prune/" not in admin.get("/disk/").content.decode()
    assert admin.get("/disk/prune/").status_code == 403
    assert admin.post("/disk/prune/", {"host": "quay"}).status_code == 403
    answer = admin.post("/api/v1/disk/quay/prune", {"dry_run": True}, content_type="application/json")
    assert answer.status_code == 403
