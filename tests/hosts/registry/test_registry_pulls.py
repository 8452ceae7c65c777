"""Pulling with an account, from real registries by real engines; and what each refusal is told as."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests

from hosts.engine.answers import EngineFailed
from hosts.engine.pulls import is_platform
from hosts.engine.refusals import refusal
from tests.engines import network
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import PASSWORD, Registry
from tests.engines.ways import AnyEngine
from tests.hosts.logins import WRONG, Stored, a_host, stored
from tests.hosts.registry.scripted import Scripted
from tests.servers.jobs import ended
from tests.servers.product import Product

pytestmark = pytest.mark.core
LIMIT = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]})


@dataclass
class Shelf:
    """Registries that have the image team/app:1."""

    plain: str  # addresses
    limited: str
    unencrypted: str  # where engines want TLS
    untrusted: str
    locked: Stored
    token: Stored
    tls: Stored


@pytest.fixture(scope="module")
def shelf(
    product: Product, docker_engine: DockerEngine, registry: Registry, locked_registry: Registry,
    token_registry: Registry, tls_registry: Registry,
) -> Iterator[Shelf]:  # fmt: skip
    with ExitStack() as stack:
        named = {"locked": locked_registry, "token": token_registry, "tls": tls_registry}
        for one in (registry, *named.values()):
            one.push(docker_engine, "busybox", "team/app:1")
        locked, token, tls = (stack.enter_context(stored(product, one, name)) for name, one in named.items())
        script = Scripted(network.gateway(docker_engine.run.slot))
        stack.callback(script.close)
        script.says = {
            "/v2/": (200, {}, b"{}"),
            "/v2/team/app/manifests/1": (429, {"Content-Type": "application/json"}, LIMIT.encode()),
        }
        unencrypted, untrusted = (stack.enter_context(Registry(strange=True, tls=wants)) for wants in (False, True))
        strange = unencrypted.address, untrusted.address
        yield Shelf(registry.address, script.address, *strange, locked, token, tls)


def pull(product: Product, host: str, image: str, **more: Any) -> int:
    return int(product.api(f"images/{host}/pull", "POST", image=image, **more)["job"])


def has(engine: AnyEngine, image: str) -> bool:
    return bool(engine.docker("images", "-q", image).strip())


def gone(engine: AnyEngine, *images: str) -> None:
    if there := [image for image in images if has(engine, image)]:
        engine.docker("rmi", *there)


# ---------------------------------------------------------------- with an account
def check_logins(product: Product, engine: AnyEngine, host: str, shelf: Shelf) -> None:
    images = [f"{one.address}/team/app:1" for one in (shelf.locked, shelf.token, shelf.tls)]
    gone(engine, *images)
    for image in images:
        job = ended(product, pull(product, host, image))
        assert (job["state"], job["error"]) == ("done", ""), image
        assert job["result"]["digest"].startswith("sha256:")
        assert has(engine, image)
    gone(engine, *images)


def test_the_default_account_of_the_image_s_registry_logs_in(
    product: Product, docker_engine: DockerEngine, shelf: Shelf
) -> None:
    with a_host(product, docker_engine, "local") as host:
        check_logins(product, docker_engine, host, shelf)


def test_a_newer_engine_logs_in_as_well(product: Product, newer_engine: DockerEngine, shelf: Shelf) -> None:
    with a_host(product, newer_engine, "steamer") as host:
        check_logins(product, newer_engine, host, shelf)


def test_podman_logs_in_as_well(product: Product, podman_engine: PodmanEngine, shelf: Shelf) -> None:
    with a_host(product, podman_engine, "raft") as host:
        check_logins(product, podman_engine, host, shelf)


def test_an_account_is_picked_on_the_page_and_only_one_of_the_image_s_registry(
    product: Product, docker_engine: DockerEngine, shelf: Shelf
) -> None:
    image = f"{shelf.locked.address}/team/app:1"
    with a_host(product, docker_engine, "local"):
        page = product.http.get(f"{product.url}/images/accounts/", params={"reference": image}).text
        assert "with the default account: tester" in page and f'value="{shelf.locked.wrong}"' in page
        assert f'value="{shelf.token.wrong}"' not in page
        fields: dict[str, Any] = {"host": "local", "reference": image}
        refused = product.post("/images/pull/", **fields, account=shelf.token.right)
        assert refused.status_code == 422
        assert f"tester is an account of {shelf.token.address}" in refused.text and 'id="account-error"' in refused.text
        assert image in refused.text
        assert product.post("/images/pull/", **fields, account="4711").status_code == 422
        for choice, words in ((shelf.locked.wrong, "login of mallory"), ("none", "Choose an account")):
            sent = product.post("/images/pull/", **fields, account=choice)
            job = ended(product, int(sent.url.rstrip("/").rpartition("/")[2]))
            assert job["state"] == "failed" and words in job["error"], job["error"]
            assert WRONG not in json.dumps(job)


def test_a_container_s_image_is_pulled_with_the_account(
    product: Product, docker_engine: DockerEngine, shelf: Shelf
) -> None:
    image, name = f"{shelf.locked.address}/team/app:1", f"made-{uuid4().hex[:8]}"
    gone(docker_engine, image)
    with a_host(product, docker_engine, "local"):
        body = {"image": image, "name": name, "start": False}
        job = ended(product, product.api("containers/local", "POST", **body, account=shelf.locked.wrong)["job"])
        assert "does not take the login of mallory" in job["error"]
        job = ended(product, product.api("containers/local", "POST", **body)["job"])
        assert (job["state"], job["error"]) == ("done", "")
        docker_engine.docker("rm", name)
        gone(docker_engine, image)
        form: dict[str, Any] = {"host": "local", "whole": "{}", "image": image, "pull": "missing", "restart": "no"}
        page = product.post("/containers/create/", **form, account=shelf.token.right)
        assert page.status_code == 422 and 'id="account-error"' in page.text


def test_an_account_that_is_gone_is_said_in_the_job(
    product: Product, docker_engine: DockerEngine, shelf: Shelf
) -> None:
    with a_host(product, docker_engine, "local"):
        path = f"registries/{shelf.locked.name}/accounts"
        short = product.api(path, "POST", username="short", secret="lived-4711")["id"]
        image = f"{shelf.locked.address}/team/none:1"
        first = ended(product, pull(product, "local", image, account=short))
        assert "login of short" in first["error"]
        product.api(f"{path}/{short}", "DELETE")
        again = ended(product, product.api(f"jobs/{first['id']}/again", "POST")["job"])
        assert f"The account to log in to {shelf.locked.address} with is gone" in again["error"]


# ---------------------------------------------------------------- refusals
def check_refusals(product: Product, host: str, shelf: Shelf, *, limited: bool = True, **more: str) -> None:
    """Each gets a sentence of its own; all are asked for at once."""
    wanted: list[tuple[str, dict[str, Any], str]] = [
        (f"{shelf.locked.address}/team/app:1", {"account": 0}, "Choose an account that may have it"),
        (f"{shelf.token.address}/team/app:1", {"account": 0}, "Choose an account that may have it"),
        (f"{shelf.locked.address}/team/app:1", {"account": shelf.locked.wrong}, "does not take the login of mallory"),
        (f"{shelf.token.address}/team/app:1", {"account": shelf.token.wrong}, "does not take the login of mallory"),
        (f"{shelf.locked.address}/team/none:1", {}, f"The registry has no {shelf.locked.address}/team/none:1"),
        (f"{shelf.plain}/team/app:none", {}, f"The registry has no {shelf.plain}/team/app:none"),
        (f"{shelf.plain}/team/app:1", {"platform": "linux/s390x"}, "for this platform"),
        (f"{shelf.unencrypted}/team/app:1", {}, "speaks HTTP without encryption"),
        (f"{shelf.untrusted}/team/app:1", {}, f"/etc/docker/certs.d/{shelf.untrusted}/ca.crt"),
        ("127.0.0.1:1/team/app:1", {}, "cannot reach the registry of 127.0.0.1:1/team/app:1"),
    ]
    if limited:
        wanted.append((f"{shelf.limited}/team/app:1", {}, "its rate limit is reached"))
    jobs = [(pull(product, host, image, **options), words) for image, options, words in wanted]
    for number, words in jobs:
        job = ended(product, number)
        assert job["state"] == "failed" and words in job["error"], f"{words}: {job['error']}"
        assert PASSWORD not in json.dumps(job) and WRONG not in json.dumps(job)


def test_each_refusal_has_its_own_sentence(product: Product, docker_engine: DockerEngine, shelf: Shelf) -> None:
    with a_host(product, docker_engine, "local") as host:
        check_refusals(product, host, shelf)
        image = f"{shelf.plain}/team/app:1"
        assert has(docker_engine, image)  # 20.10 takes the image of another platform, and the job says that it is there
        job = ended(product, pull(product, host, image, platform="linux/arm64"))
        assert job["left"] == [f"{image} for linux/amd64 is on local now."]
        gone(docker_engine, image)


def test_a_newer_engine_s_refusals_too(product: Product, newer_engine: DockerEngine, shelf: Shelf) -> None:
    with a_host(product, newer_engine, "steamer") as host:
        check_refusals(product, host, shelf)


def test_podman_s_refusals_too(product: Product, podman_engine: PodmanEngine, shelf: Shelf) -> None:
    with a_host(product, podman_engine, "raft") as host:
        check_refusals(product, host, shelf, limited=False)  # it tries again for 20 s before it says so
        gone(podman_engine, f"{shelf.plain}/team/app:1")


@pytest.mark.parametrize(
    ("words", "user", "code"),
    [
        ("initializing source docker://r/a:1: reading manifest 1 in r/a: toomanyrequests: You have", "", "registry_limited"),
        ("received unexpected HTTP status: 429 Too Many Requests", "", "registry_limited"),
        ("failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized", "u", "registry_wrong_login"),
        ("errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required", "u", "registry_not_allowed"),
        ("pull access denied for x, repository does not exist or may require 'docker login'", "", "registry_refused"),
        ("no matching manifest for linux/s390x in the manifest list entries", "", "no_platform"),
        ("choosing an image from manifest list docker://r/a:1: no image found in manifest list for architecture", "", "no_platform"),
        ("write /var/lib/docker/tmp/x: no space left on device", "u", "engine_failed"),
    ],
)  # fmt: skip
def test_other_words_are_understood(words: str, user: str, code: str) -> None:
    error = refusal(EngineFailed(words), "r/a:1", "10.0.0.5", registry="r", user=user)
    assert error.code == code


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "x86_64", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/aarch64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/amd64", "windows/amd64", False),
        ("", "linux/amd64", False),
    ],
)
def test_platforms_are_compared_as_engines_do(found: str, wanted: str, same: bool) -> None:
    assert is_platform(found, wanted) is same


# ---------------------------------------------------------------- all tags
def test_all_tags_come_with_their_number_said_first(
    product: Product, docker_engine: DockerEngine, podman_engine: PodmanEngine, locked_registry: Registry, shelf: Shelf
) -> None:
    name = f"team/many{uuid4().hex[:6]}"
    for tag in "abc":
        locked_registry.push(docker_engine, "busybox", f"{name}:{tag}")
    image = f"{locked_registry.address}/{name}"
    with a_host(product, docker_engine, "local"), a_host(product, podman_engine, "raft"):
        count = product.http.get(f"{product.url}/images/tag-count/", params={"reference": image}).text
        assert "has 3 tags of it: all of them are pulled" in count
        unknown = product.http.get(f"{product.url}/images/tag-count/", params={"reference": f"{shelf.plain}/team/app"})
        assert "is not known" in unknown.text
        fields: dict[str, Any] = {"host": "local", "reference": f"{image}:a", "all_tags": "1"}
        assert "name the repository alone" in product.post("/images/pull/", **fields).text
        assert (
            "one tag at a time" in product.post("/images/pull/", **fields | {"host": "raft", "reference": image}).text
        )
        job = ended(product, pull(product, "local", image, all_tags=True))
        assert (job["state"], job["error"], job["target"]) == ("done", "", image)
        assert job["result"]["tags"] == 3
        assert all(has(docker_engine, f"{image}:{tag}") for tag in "abc")
        gone(docker_engine, *(f"{image}:{tag}" for tag in "abc"))


def test_a_registry_is_not_browsed_with_an_account_that_it_has_not(product: Product, shelf: Shelf) -> None:
    path = f"/registries/{shelf.locked.name}/repositories/"
    page = product.http.get(f"{product.url}{path}", params={"account": shelf.token.right}).text
    assert "This registry has no such account" in page
    headers = {"Authorization": f"Bearer {product.token}"}
    answer = requests.get(f"{product.url}/api/v1{path[:-1]}", {"account": 4711}, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["field"]) == (422, "account")
