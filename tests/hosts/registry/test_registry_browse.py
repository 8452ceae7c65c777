"""Browsing a registry on its pages and over REST: what it has, live, and deleting a tag."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Registry
from hosts.registry import hub
from hosts.registry.places import Origin, Place
from tests.engines.registry import PASSWORD, USER
from tests.engines.registry import Registry as RealRegistry
from tests.hosts.registry.content import put_image, put_index
from tests.hosts.registry.scripted import Scripted
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
TAGS = "/registries/harbour/tags/?repository=pages/app"


@pytest.fixture
def harbour(client: Client, tls_registry: RealRegistry) -> Registry:
    """A registry on TLS with a login and images; an operator looks at it."""
    client.force_login(person("otto", "deployer"))
    assert tls_registry.authority
    put_image(tls_registry, "pages/app", "1.0", size=2048 * 1024)
    put_index(tls_registry, "pages/app", "2.0", {"amd64": 4000, "arm64": 6000})
    registry = Registry.objects.create(
        name="harbour", address=tls_registry.address, ca=tls_registry.authority.ca, inside=True
    )
    registry.accounts.create(username=USER, secret=PASSWORD, is_default=True)
    return registry


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_page_waits_for_no_registry(client: Client) -> None:
    client.force_login(person("otto", "deployer"))
    Registry.objects.create(name="lost", address="127.0.0.1:1", plain_http=True, inside=True)
    assert 'hx-trigger="load"' in text(client, "/registries/lost/")
    assert 'hx-trigger="load"' in text(client, "/registries/lost/tags/?repository=a/b")
    assert "nothing listens there" in text(client, "/registries/lost/repositories/")
    assert "nothing listens there" in text(client, "/registries/lost/tags/?repository=a/b&part=1")


def test_repositories_are_listed_and_searched(harbour: Registry, client: Client) -> None:
    assert "pages/app" in text(client, "/registries/harbour/repositories/")
    assert "pages/app" in text(client, "/registries/harbour/repositories/?search=GES/a")
    assert "pages/app" not in text(client, "/registries/harbour/repositories/?search=zzz")
    found = client.get("/api/v1/registries/harbour/repositories?search=pages/app").json()
    assert found == {"items": [{"name": "pages/app"}], "count": 1, "more": False, "page": 1}


def test_tags_show_digest_size_and_platforms(harbour: Registry, client: Client, tls_registry: RealRegistry) -> None:
    page = text(client, f"{TAGS}&part=1")
    assert page.index("2.0") < page.index("1.0")
    assert all(words in page for words in ("2.0 MiB", "linux/amd64", "linux/arm64", "sha256:"))
    assert f"reference={tls_registry.address.replace(':', '%3A')}%2Fpages%2Fapp%3A1.0" in page
    assert "1.0" not in text(client, f"{TAGS}&part=1&search=2.").replace("11.0", "")
    items = client.get("/api/v1/registries/harbour/tags?repository=pages/app").json()["items"]
    assert [(row["name"], [p["platform"] for p in row["platforms"]]) for row in items] == [
        ("2.0", ["linux/amd64", "linux/arm64"]),
        ("1.0", ["linux/amd64"]),
    ]
    assert all(row["digest"].startswith("sha256:") and row["size"] > 2000 and not row["problem"] for row in items)


def test_without_the_account_the_registry_says_no(harbour: Registry, client: Client) -> None:
    harbour.accounts.all().delete()
    assert "wants a login for this" in text(client, f"{TAGS}&part=1")
    harbour.accounts.create(username=USER, secret="canary-4711", is_default=True)
    page = text(client, f"{TAGS}&part=1")
    assert "does not take the login of tester" in page
    assert "canary-4711" not in page


@pytest.mark.parametrize("repository", ["", "UPPER", "a//b", "../x", "a?b", "a b", "x" * 300])
def test_a_wrong_name_of_a_repository_is_said(harbour: Registry, client: Client, repository: str) -> None:
    assert client.get("/registries/harbour/tags/", {"repository": repository}).status_code == 200
    page = client.get("/registries/harbour/tags/", {"repository": repository, "part": "1"}).content.decode()
    assert "not a repository&#x27;s name" in page
    answer: Any = client.get("/api/v1/registries/harbour/tags", {"repository": repository})
    assert (answer.status_code, answer.json()["field"]) == (422, "repository")


def test_a_tag_is_deleted_after_it_was_said_what_goes_along(
    harbour: Registry, client: Client, tls_registry: RealRegistry
) -> None:
    digest, _ = put_image(tls_registry, "pages/gone", "a", size=4096)
    put_image(tls_registry, "pages/gone", "keep", size=5000)
    manifest = tls_registry.ask("GET", f"/v2/pages/gone/manifests/{digest}")
    kind = {"Content-Type": manifest.headers["Content-Type"]}
    tls_registry.ask("PUT", "/v2/pages/gone/manifests/b", data=manifest.content, headers=kind)
    path = "/registries/harbour/tags/remove/?repository=pages/gone&tag=a"
    assert "Asking the registry" in text(client, path)
    page = text(client, f"{path}&part=1")
    assert "a, b</dd>" in page
    assert "Delete 2 tags" in page
    moved = client.post(path, {"digest": f"sha256:{'0' * 64}"}, follow=True).content.decode()
    assert "Nothing was deleted" in moved
    assert "Deleted pages/gone:a." in client.post(path, {"digest": digest}, follow=True).content.decode()
    left = client.get("/api/v1/registries/harbour/tags?repository=pages/gone").json()
    assert [row["name"] for row in left["items"]] == ["keep"]
    wrong = client.delete("/api/v1/registries/harbour/tags?repository=pages/gone&tag=keep&digest=x")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "digest")
    query = f"repository=pages/gone&tag=keep&digest={left['items'][0]['digest']}"
    assert client.delete(f"/api/v1/registries/harbour/tags?{query}").status_code == 204
    outcomes = AuditEntry.objects.filter(action="registry.tag.remove").values_list("outcome", flat=True)
    assert sorted(outcomes) == ["done", "done", "failed"]


def test_a_viewer_looks_and_deletes_nothing(harbour: Registry, client: Client) -> None:
    client.force_login(person("vera", "viewer"))
    page = text(client, f"{TAGS}&part=1")
    assert "1.0" in page
    assert "tags/remove" not in page
    path = "/registries/harbour/tags/remove/?repository=pages/app&tag=1.0"
    assert client.get(f"{path}&part=1").status_code == 403
    assert client.post(path, {"digest": "x"}).status_code == 403
    api = "/api/v1/registries/harbour/tags?repository=pages/app&tag=1.0&digest=x"
    assert client.delete(api).status_code == 403


def test_tags_are_suggested_for_a_name_that_is_being_typed(
    harbour: Registry, client: Client, tls_registry: RealRegistry
) -> None:
    def ask(image: str, search: str = "") -> Any:
        return client.get("/api/v1/image-tags", {"image": image, "search": search})

    app = f"{tls_registry.address}/pages/app"
    assert ask(app).json() == {"items": ["2.0", "1.0"], "count": 2, "more": False, "problem": ""}
    assert ask(f"{app}:1.0", "1.").json()["items"] == ["1.0"]
    gone = ask(f"{tls_registry.address}/pages/none").json()
    assert (gone["items"], "no repository pages/none" in gone["problem"]) == ([], True)
    for wrong in ("a b", "other.example.com/app"):
        assert (ask(wrong).status_code, ask(wrong).json()["field"]) == (422, "image")


# ---------------------------------------------------------------- Docker Hub
@pytest.fixture
def hub_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """Answers as Docker Hub does."""
    script = Scripted()
    host, _, port = script.address.partition(":")
    for name in ("SEARCH", "TAGS"):
        monkeypatch.setattr(hub, name, Origin("http", host, int(port)))
    monkeypatch.setattr(hub, "HUB_PLACE", Place(script.address, plain_http=True, inside=True))
    yield script
    script.close()


def test_docker_hub_is_searched_by_name_and_shows_its_tags(hub_server: Scripted, client: Client) -> None:
    client.force_login(person("otto", "deployer"))
    Registry.objects.get_or_create(address="docker.io", defaults={"name": "docker-hub"})
    name = Registry.objects.get(address="docker.io").name
    assert "no list of all its repositories" in text(client, f"/registries/{name}/repositories/")
    found: list[dict[str, Any]] = [
        {"name": "nginx", "description": "<b>Official</b>", "star_count": 20000, "is_official": True},
        {"name": None, "star_count": "many"},
    ]
    hub_server.says["/v1/search"] = (200, {}, json.dumps({"results": found}).encode())
    page = text(client, f"/registries/{name}/repositories/?search=nginx")
    assert "&lt;b&gt;Official" in page
    assert "official" in page
    images = [
        {"os": "linux", "architecture": "arm", "variant": "v7", "digest": f"sha256:{'b' * 64}", "size": 5_000_000},
        {"os": "unknown", "architecture": "unknown", "digest": f"sha256:{'c' * 64}", "size": 10},
    ]
    rows = {"count": 90, "results": [{"name": "1.27", "digest": f"sha256:{'a' * 64}", "images": images}]}
    hub_server.says["/v2/repositories/library/nginx/tags"] = (200, {}, json.dumps(rows).encode())
    answer = client.get(f"/api/v1/registries/{name}/tags?repository=nginx&search=1.2").json()
    assert (answer["count"], answer["items"][0]["size"]) == (90, 5_000_000)
    assert [p["platform"] for p in answer["items"][0]["platforms"]] == ["linux/arm/v7"]
    assert "name=1.2" in hub_server.asked[-1][0]
    page = text(client, f"/registries/{name}/tags/?repository=nginx&part=1")
    assert "reference=nginx%3A1.27" in page.replace("library%2F", "")
    assert "page=2" in page
    hub_server.says["/v2/repositories/library/nginx/tags"] = (429, {"Retry-After": "60"}, b"")
    assert "Try again in 1 min" in text(client, f"/registries/{name}/tags/?repository=nginx&part=1")


def test_the_form_that_creates_offers_images_of_the_hosts_and_tags_of_the_registry(
    client: Client, harbour: Registry
) -> None:
    rows = [
        {"Id": f"sha256:{n}".ljust(71, "0"), "RepoTags": [name], "Created": 1_760_000_000}
        for n, name in enumerate(("nginx:1.27", "team/app:<b>"))
    ]
    apply.apply_rows(a_host(), "image", [parse.image_row(row) for row in rows])
    here = text(client, "/containers/create/images/?image=ngi")
    assert re.findall('data-value="([^"]*)"', here) == ["nginx:1.27"]
    assert "<b>" not in text(client, "/containers/create/images/?image=team")
    url = f"/containers/create/images/?registry=1&image={harbour.address}/pages/app"
    assert re.findall('data-value="([^"]*)"', text(client, url)) == [
        f"{harbour.address}/pages/app:{tag}" for tag in ("2.0", "1.0")
    ]
    assert re.findall('data-value="([^"]*)"', text(client, f"{url}:1")) == [f"{harbour.address}/pages/app:1.0"]
    assert "is not stored here" in text(client, "/containers/create/images/?registry=1&image=elsewhere.example/app")
    client.force_login(person("vera", "viewer"))
    assert client.get(url).status_code == 403
