"""Pushing as a person does it, from real engines to real registries: with an account, all tags, under another name."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from jobs.models import Job
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_layered
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import Registry
from tests.engines.ways import AnyEngine
from tests.hosts.logins import WRONG, Stored, a_host, stored
from tests.hosts.watched import Watched, send
from tests.rows import a_host as a_host_row
from tests.rows import person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def locked(product: Product, locked_registry: Registry) -> Iterator[Stored]:
    with stored(product, locked_registry, "locked") as found:
        yield found


@pytest.fixture
def local(product: Product, docker_engine: DockerEngine) -> Iterator[DockerEngine]:
    with a_host(product, docker_engine, "local"):
        yield docker_engine


def named(product: Product, engine: AnyEngine, host: str, *names: str) -> str:
    """Gives busybox of the host these names; its id, once the product knows them."""
    for name in names:
        engine.docker("tag", "busybox", name)

    def known() -> str:
        rows = product.api(f"images?host={host}")["items"]
        return next((row["id"] for row in rows if {*names} <= {*row["tags"]}), "")

    return str(until(known, f"{host} shows {names}"))


def untag(engine: AnyEngine, *names: str) -> None:
    engine.docker("rmi", *names)


def push(product: Product, host: str, image: str, **more: Any) -> Any:
    """The job of a push, once it is over."""
    return ended(product, int(product.api(f"images/{host}/push", "POST", image=image, **more)["job"]))


# ---------------------------------------------------------------- with an account
def check_pushes(product: Product, engine: AnyEngine, host: str, registries: dict[str, Registry]) -> None:
    """To each registry, the right account by default; the digest is the registry's."""
    with ExitStack() as stack:
        for name, registry in registries.items():
            if registry.login or registry.tokens:
                stack.enter_context(stored(product, registry, name))
            repository = f"team/{name}{uuid4().hex[:6]}"
            image = f"{registry.address}/{repository}:1.2"
            named(product, engine, host, image)
            job = push(product, host, image)
            assert (job["state"], job["error"], job["progress"]) == ("done", "", 1), name
            scope = f"repository:{repository}:pull"
            path, accept = f"/v2/{repository}/manifests/1.2", {"Accept": ACCEPT}
            told = registry.ask("GET", path, scope=scope, headers=accept).headers["Docker-Content-Digest"]
            assert job["result"] == {"image": image, "digest": told}
            untag(engine, image)


ACCEPT = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registries(
    registry: Registry, locked_registry: Registry, token_registry: Registry, tls_registry: Registry
) -> dict[str, Registry]:
    return {"open": registry, "basic": locked_registry, "token": token_registry, "tls": tls_registry}


def test_it_goes_to_every_registry_with_its_default_account(
    product: Product, docker_engine: DockerEngine, registries: dict[str, Registry]
) -> None:
    with a_host(product, docker_engine, "local") as host:
        check_pushes(product, docker_engine, host, registries)


def test_from_a_newer_engine_too(product: Product, newer_engine: DockerEngine, registries: dict[str, Registry]) -> None:
    with a_host(product, newer_engine, "steamer") as host:
        check_pushes(product, newer_engine, host, registries)


def test_from_podman_too(product: Product, podman_engine: PodmanEngine, registries: dict[str, Registry]) -> None:
    with a_host(product, podman_engine, "raft") as host:
        check_pushes(product, podman_engine, host, registries)


def test_a_refused_push_says_who_was_refused(product: Product, local: DockerEngine, locked: Stored) -> None:
    image = f"{locked.address}/team/refused:1"
    named(product, local, "local", image)
    wrong = push(product, "local", image, account=locked.wrong)
    assert wrong["state"] == "failed" and "does not take the login of mallory" in wrong["error"]
    nobody = push(product, "local", image, account=0)
    assert nobody["state"] == "failed" and f"does not take {image} from the engine" in nobody["error"]
    assert WRONG not in str(wrong) + str(nobody)
    untag(local, image)


def test_the_page_asks_for_name_and_account_and_shows_layers_and_digest(
    product: Product, local: DockerEngine, locked: Stored
) -> None:
    image = f"{locked.address}/team/page:1"
    ref = named(product, local, "local", image).removeprefix("sha256:")[:12]
    at = f"/images/local/{ref}"
    dialog = product.http.get(f"{product.url}{at}/ask/push/", headers={"HX-Request": "true"}).text
    assert f"<option>{image}</option>" in dialog or f"<option selected>{image}</option>" in dialog
    assert "Push…" in product.http.get(f"{product.url}{at}/").text
    offered = product.http.get(f"{product.url}/images/accounts/", params={"name": image}).text
    assert "with the default account: tester" in offered
    with Watched(product, send(product, f"{at}/push/", name=image, account=locked.right)) as watched:
        end = watched.end()
    assert (end["state"], end["error"]) == ("done", "")
    assert {part["state"] for part in end["parts"]} <= {"done", "exists"} and end["parts"]
    digest = product.api(f"jobs/{watched.job}")["result"]["digest"]
    assert any(digest in line for line in watched.log)
    until(lambda: digest in str(product.api(f"images?search={image}")), "the image has the digest")
    assert product.post(f"{at}/push/", name="team/other:1").status_code == 422
    untag(local, image)


# ---------------------------------------------------------------- all tags
def test_all_tags_of_a_repository_go_one_after_the_other(
    product: Product, local: DockerEngine, podman_engine: PodmanEngine, locked: Stored, locked_registry: Registry
) -> None:
    with a_host(product, podman_engine, "raft"):
        for host, engine in (("local", local), ("raft", podman_engine)):
            repository = f"team/all{uuid4().hex[:6]}"
            names = [f"{locked.address}/{repository}:{tag}" for tag in "abc"]
            named(product, engine, host, *names)
            job = push(product, host, names[0], all_tags=True)
            assert (job["state"], job["error"], job["target"]) == ("done", "", names[0].rpartition(":")[0])
            assert job["result"]["tags"] == 3
            assert job["result"]["digests"].count("sha256:") == 3
            assert sorted(locked_registry.ask("GET", f"/v2/{repository}/tags/list").json()["tags"]) == ["a", "b", "c"]
            untag(engine, *names)


# ---------------------------------------------------------------- as another name
def tags(engine: DockerEngine, image: str) -> list[str]:
    return engine.docker("image", "inspect", "-f", '{{join .RepoTags "\\n"}}', image).split()


def test_it_is_copied_to_another_registry_under_a_name_that_goes_again(
    product: Product, local: DockerEngine, registry: Registry, locked: Stored, locked_registry: Registry
) -> None:
    repository = f"team/as{uuid4().hex[:6]}"
    full = f"{locked.address}/{repository}:9"
    ref = named(product, local, "local", "busybox:latest")
    job = push(product, "local", ref, new_name=full, untag=True)
    assert (job["state"], job["error"]) == ("done", "")
    assert job["result"]["digest"] == locked_registry.digest(repository, "9")
    assert full not in tags(local, "busybox")
    assert push(product, "local", ref, new_name=full)["state"] == "done"
    assert full in tags(local, "busybox")
    failed = push(product, "local", ref, new_name=f"{full}-no", account=locked.wrong)
    assert failed["state"] == "failed" and failed["left"] == []
    assert f"{full}-no" not in tags(local, "busybox")
    other = push(product, "local", "dermaga/web", new_name=full)
    assert "Another image of local is called" in other["error"]
    untag(local, full)


def test_the_last_name_stays_since_the_image_would_go_with_it(
    product: Product, local: DockerEngine, registry: Registry
) -> None:
    local.docker("build", "-q", "-t", "lonely:1", "-", stdin=f"FROM busybox\nLABEL a={uuid4().hex}\n".encode())
    ref = until(lambda: product.api("images?search=lonely:1")["items"], "it shows")[0]["id"]
    local.docker("tag", "busybox", "lonely:1")  # now it has none
    full = f"{registry.address}/team/lonely{uuid4().hex[:6]}:1"
    until(lambda: product.api(f"images/local/{ref}")["tags"] == [], "it has no name")
    job = push(product, "local", ref, new_name=full, untag=True)
    assert job["state"] == "done"
    assert job["left"] == [f"The image is still called {full} on local: it has no other name."]
    untag(local, full, "lonely:1")


# ---------------------------------------------------------------- cancelling
def test_cancelling_ends_the_push_on_the_engine(product: Product, local: DockerEngine, registry: Registry) -> None:
    make_layered(local, "heavy:1")
    with registry.slow(500_000, sent=True) as slow:
        full = f"{slow.address}/team/heavy{uuid4().hex[:6]}:1"
        ref = until(lambda: product.api("images?search=heavy:1")["items"], "it shows")[0]["id"].removeprefix("sha256:")
        fields = {"new_name": full, "untag": "1"}
        with Watched(product, send(product, f"/images/local/{ref[:12]}/push/", **fields)) as watched:
            message = watched.until(lambda message: message["progress"] > 0)
            assert any(part["state"] == "uploading" and part["total"] for part in message["parts"])
            began = time.monotonic()
            product.post(f"/jobs/{watched.job}/cancel/")
            end = watched.end(5)
            assert time.monotonic() - began < 2
        assert (end["state"], end["error"]) == ("cancelled", "")
        until(slow.is_still, "the engine sends the registry no more")
    assert full not in tags(local, "heavy:1")
    local.docker("rmi", "heavy:1")


# ---------------------------------------------------------------- without an engine
@pytest.mark.django_db
def test_a_wrong_value_is_said_at_its_field_and_the_rest_stays(client: Client) -> None:
    row = parse.image_row({"Id": "sha256:" + "a" * 64, "RepoTags": ["quay/app:1"], "Size": 1000})
    apply.apply_rows(a_host_row(), "image", [row])
    client.force_login(person("otto", "deployer"))
    good = {"name": "quay/app:1", "new_name": "", "account": ""}
    for wrong, field in (
        ({"name": "quay/other:1"}, "name"),
        ({"new_name": "UPPER"}, "new_name"),
        ({"new_name": "team/app:2", "all_tags": "1"}, "all_tags"),
        ({"account": "4711"}, "account"),
    ):
        answer = client.post("/images/quay/aaaaaaaaaaaa/push/", good | wrong)
        assert (answer.status_code, answer.context["field"]) == (422, field)
        assert str(wrong.get("new_name", "")) in answer.content.decode()
    assert not Job.objects.exists()
    client.force_login(person("vera", "viewer"))
    assert client.post("/images/quay/aaaaaaaaaaaa/push/", good).status_code == 403
    answer = client.post("/api/v1/images/quay/push", {"image": "quay/app:1"}, "application/json")
    assert answer.status_code == 403
