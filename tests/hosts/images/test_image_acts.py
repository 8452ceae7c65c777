"""One image as a person looks at it and acts on it: its page, its names, its end."""

from collections.abc import Iterator

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.engine.images import instruction_of
from hosts.inventory import apply
from tests.engines.docker_engine import DockerEngine
from tests.hosts.watched import Watched, send
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
SECRET = "canary-4711"
DOCKERFILE = f"""
FROM busybox
ARG TOKEN
ENV PASSWORD={SECRET} MODE=fast
LABEL team=quay
EXPOSE 8080
VOLUME /data
RUN echo $TOKEN > /token && echo made
ENTRYPOINT ["/bin/sh"]
"""


@pytest.fixture
def image(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    """An image on the host `local`, known to the product; its id."""
    build = ("build", "-q", "--no-cache", "--build-arg", f"TOKEN={SECRET}", "-t", "quay/acted:1", "-")
    found = docker_engine.docker(*build, stdin=DOCKERFILE.encode()).strip()
    until(lambda: knows(product, found), "the image shows")
    yield found
    if found in ids(docker_engine):
        docker_engine.docker("rmi", "-f", found)


def ids(engine: DockerEngine) -> list[str]:
    return engine.docker("images", "-q", "--no-trunc").split()


def knows(product: Product, image: str) -> bool:
    return image in {row["id"] for row in product.api("images?host=local&limit=200")["items"]}


def names(product: Product, image: str) -> list[str]:
    return product.api(f"images/local/{image}")["tags"]


def page(product: Product, image: str, query: str = "") -> str:
    answer = product.http.get(f"{product.url}/images/local/{image.removeprefix('sha256:')[:12]}/{query}", timeout=20)
    assert answer.status_code == 200
    return answer.text


def test_its_page_shows_what_it_is_made_of_and_who_uses_it_and_no_secret(
    product: Product, docker_engine: DockerEngine, image: str
) -> None:
    docker_engine.docker("create", "--name", "acted-user", "quay/acted:1")
    try:
        until(lambda: "acted-user" in page(product, image), "its user shows")
        assert "quay/acted:1" in page(product, image)
        facts = page(product, image, "facts/")
        for words in ("linux/", "8080/tcp", "/data", "team", "PASSWORD", "MODE", "/bin/sh", "echo made"):
            assert words in facts, words
        history = product.api("images/local/quay/acted:1/history")
        assert history["configuration"]["environment"] == ["PATH", "PASSWORD", "MODE"]
        assert [layer["instruction"] for layer in history["layers"][:2]] == [
            'ENTRYPOINT ["/bin/sh"]',
            "RUN echo $TOKEN > /token && echo made",
        ]
        assert history["layers"][1]["size"] > 0
        assert SECRET not in facts + str(history)
    finally:
        docker_engine.docker("rm", "acted-user")


def test_a_name_is_given_and_taken_away_and_the_last_one_stays(product: Product, image: str) -> None:
    answer = product.post(f"/images/local/{image[7:19]}/tag/", name="quay/other")
    assert answer.ok and "quay/other:latest" in answer.text
    until(lambda: names(product, image) == ["quay/acted:1", "quay/other:latest"], "it has both names")
    assert product.api("images/local/quay/other")["id"] == image
    assert product.api(f"images/local/{image}/untag", "POST", name="quay/acted:1") == {"done": "untag"}
    until(lambda: names(product, image) == ["quay/other:latest"], "it has one name")
    answer = product.post(f"/images/local/{image[7:19]}/untag/", name="quay/other:latest")
    assert "is its only name" in answer.text
    assert names(product, image) == ["quay/other:latest"]


@pytest.mark.parametrize("name", ["", "UPPER", "a b", "a@sha256:" + "1" * 64, "x" * 500, "-v", "a:b:c"])
def test_a_wrong_name_is_said_at_the_field_and_stays(product: Product, image: str, name: str) -> None:
    answer = product.post(f"/images/local/{image[7:19]}/tag/", name=name)
    assert answer.status_code == 422
    assert "This cannot be an image&#x27;s name" in answer.text.split('id="ask-error"')[1]
    assert f'value="{name}"' in answer.text


def test_removing_asks_first_says_who_uses_it_and_leaves_it_whole(
    product: Product, docker_engine: DockerEngine, image: str
) -> None:
    docker_engine.docker("tag", "quay/acted:1", "quay/acted:2")
    docker_engine.docker("create", "--name", "acted-user", "quay/acted:1")
    try:
        until(lambda: "acted-user" in page(product, image, "ask/remove/"), "its user is named")
        with Watched(product, send(product, f"/images/local/{image[7:19]}/remove/")) as watched:
            end = watched.end()
        assert (end["state"], "acted-user" in end["error"]) == ("failed", True)
        assert len(docker_engine.docker("images", "-q", "quay/acted").split()) == 2
    finally:
        docker_engine.docker("rm", "acted-user")
    job = product.api(f"images/local/{image}/remove", "POST")["job"]
    with Watched(product, job) as watched:
        assert watched.end()["state"] == "done"
    assert f"Deleted: {image}" in watched.log
    assert product.api(f"jobs/{job}")["result"]["untagged"] == 2
    assert image not in ids(docker_engine)
    until(lambda: not knows(product, image), "it is gone from the table")


def test_by_force_it_goes_although_a_stopped_container_uses_it(
    product: Product, docker_engine: DockerEngine, image: str
) -> None:
    docker_engine.docker("create", "--name", "acted-user", "quay/acted:1")
    try:
        with Watched(product, send(product, f"/images/local/{image[7:19]}/remove/", force="1")) as watched:
            assert watched.end()["state"] == "done"
        assert image not in ids(docker_engine)
    finally:
        docker_engine.docker("rm", "acted-user")


# ---------------------------------------------------------------- without an engine
@pytest.mark.django_db
def test_a_viewer_looks_and_does_not_touch(client: Client) -> None:
    host = a_host()
    row = parse.image_row({"Id": "sha256:" + "1" * 64, "RepoTags": ["acme/web:1"], "Size": 1000})
    apply.apply_rows(host, "image", [row])
    containers(host, container_json("web"))
    client.force_login(person("vera", "viewer"))
    shown = client.get("/images/quay/111111111111/").content.decode()
    assert "acme/web:1" in shown
    assert "/containers/quay/" in shown
    assert "Remove…" not in shown
    for act in ("tag", "untag", "remove"):
        assert client.post(f"/images/quay/111111111111/{act}/", {"name": "x:1"}).status_code == 403
        assert client.get(f"/images/quay/111111111111/{act}/").status_code in {403, 405}
    assert client.get("/images/quay/111111111111/ask/remove/").status_code == 403
    assert client.get("/images/quay/222222222222/").status_code == 404
    assert client.get("/images/other/111111111111/").status_code == 404
    client.force_login(person("otto", "deployer"))
    assert client.get("/images/quay/111111111111/tag/").status_code == 405
    assert client.get("/images/quay/111111111111/ask/nonsense/").status_code == 404
    asked = client.get("/images/quay/111111111111/ask/remove/").content.decode()
    assert "1 container uses it" in asked


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ("/bin/sh -c #(nop)  ENV PASSWORD=a b=c MODE=x", "ENV PASSWORD=(hidden) MODE=(hidden)"),
        ("ENV PASSWORD=x", "ENV PASSWORD=(hidden)"),
        ("/bin/sh -c #(nop)  ARG TOKEN=x", "ARG TOKEN"),
        ("|2 TOKEN=a b c OTHER=/bin/sh -c x /bin/sh -c make all", "RUN make all"),
        ("RUN |1 TOKEN=a /bin/sh -c make all # buildkit", "RUN make all"),
        ("RUN |1 TOKEN=a /bin/bash -c make all # buildkit", "RUN (hidden)"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ('CMD ["nginx"]', 'CMD ["nginx"]'),
        ("COPY file:1 in / ", "COPY file:1 in /"),
        ("", ""),
    ],
)
def test_a_layer_tells_its_instruction_without_values(created_by: str, shown: str) -> None:
    assert instruction_of(created_by, {"PASSWORD", "MODE", "PATH"}) == shown
