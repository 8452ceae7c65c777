"""What is in a registry: repositories, tags and what they stand for, read from real registries and odd ones."""

import json
from collections.abc import Iterator

import pytest

from hosts.registry import content, errors
from hosts.registry.client import Client
from hosts.registry.names import parse_reference
from hosts.registry.places import Place
from tests.engines.registry import Registry
from tests.hosts.registry.content import put_image, put_index
from tests.hosts.registry.scripted import Scripted
from tests.hosts.registry.test_login import RIGHT, place_of


@pytest.fixture
def script() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.close()


def client_of(script: Scripted) -> Client:
    return Client(Place(script.address, plain_http=True, inside=True))


@pytest.mark.parametrize("fixture", ["locked_registry", "tls_registry", "token_registry"])
def test_repositories_tags_sizes_and_platforms_are_read(fixture: str, request: pytest.FixtureRequest) -> None:
    registry: Registry = request.getfixturevalue(fixture)
    single, _ = put_image(registry, "browse/app", "1.9", size=5000)
    put_image(registry, "browse/app", "1.10", arch="arm64", size=7000, oci=True)
    index = put_index(registry, "browse/app", "latest", {"amd64": 4000, "arm": 6000})
    with Client(place_of(registry), RIGHT) as client:
        if fixture != "token_registry":  # that one's tokens let nobody see the catalogue
            names, more = content.repositories(client)
            assert ("browse/app" in names, more) == (True, False)
        assert content.tags(client, "browse/app") == (["latest", "1.10", "1.9"], False)
        latest, new, old = content.describe_all(client, "browse/app", ["latest", "1.10", "1.9"])
        assert content.digest(client, "browse/app", "1.9") == single
    assert (old.digest, [p.name for p in old.platforms]) == (single, ["linux/amd64"])
    assert [p.name for p in new.platforms] == ["linux/arm64"]
    assert (latest.digest, [p.name for p in latest.platforms]) == (index, ["linux/amd64", "linux/arm/v7"])
    assert latest.size is not None
    assert 10_000 < latest.size < 10_300  # the layers and two configurations, without the attestation
    assert old.size is not None
    assert 5000 < old.size < 5150


def test_what_is_not_there_is_said(locked_registry: Registry) -> None:
    put_image(locked_registry, "browse/there", "1")
    with Client(place_of(locked_registry), RIGHT) as client:
        with pytest.raises(errors.RepositoryUnknown, match="no repository browse/none"):
            content.tags(client, "browse/none")
        with pytest.raises(errors.TagUnknown, match="browse/there .* has no 2"):
            content.digest(client, "browse/there", "2")
        assert isinstance(content.describe(client, "browse/there", "2").error, errors.TagUnknown)


def test_deleting_takes_every_tag_of_the_image_and_no_other(locked_registry: Registry) -> None:
    digest, _ = put_image(locked_registry, "browse/gone", "a", size=4100)
    body = locked_registry.ask("GET", "/v2/browse/gone/manifests/a", headers={"Accept": content.ACCEPT})
    again = {"Content-Type": body.headers["Content-Type"]}
    assert locked_registry.ask("PUT", "/v2/browse/gone/manifests/b", data=body.content, headers=again).ok
    put_image(locked_registry, "browse/gone", "c", size=4200)
    with Client(place_of(locked_registry), RIGHT) as client:
        assert content.same_digest(client, "browse/gone", digest, ["b", "c"]) == ["b"]
        with pytest.raises(errors.TagMoved):
            content.delete(client, "browse/gone", "c", digest)
        content.delete(client, "browse/gone", "a", digest)
        assert content.tags(client, "browse/gone")[0] == ["c"]


# ---------------------------------------------------------------- odd ones
def test_pages_are_followed_inside_the_list_only(script: Scripted) -> None:
    answers = {
        "": (["a", 5, "b"], '<http://169.254.169.254/v2/_catalog?last=b&n=2>; rel="next"'),
        "last=b": (["c"], "<nonsense"),
    }

    def page(handler: object) -> None:
        path = handler.path  # type: ignore[attr-defined]
        names, link = answers["last=b" if "last=b" in path else ""]
        body = json.dumps({"repositories": names}).encode()
        head = f"HTTP/1.1 200 OK\r\nLink: {link}\r\nContent-Length: {len(body)}\r\n\r\n"
        handler.wfile.write(head.encode() + body)  # type: ignore[attr-defined]

    script.says["/v2/_catalog"] = page
    with client_of(script) as client:
        assert content.repositories(client) == (["a", "b", "c"], False)
    assert len(script.asked) == 2


def test_a_list_without_an_end_is_cut(script: Scripted) -> None:
    def page(handler: object) -> None:
        body = json.dumps({"tags": [f"t{len(script.asked)}"]}).encode()
        link = f'</v2/x/tags/list?last={len(script.asked)}>; rel="next"'
        head = f"HTTP/1.1 200 OK\r\nLink: {link}\r\nContent-Length: {len(body)}\r\n\r\n"
        handler.wfile.write(head.encode() + body)  # type: ignore[attr-defined]

    script.says["/v2/x/tags/list"] = page
    with client_of(script) as client:
        names, more = content.tags(client, "x")
    assert (len(names), more, len(script.asked)) == (20, True, 20)


@pytest.mark.parametrize(("status", "kind"), [(404, errors.NoCatalogue), (405, errors.NoCatalogue)])
def test_a_registry_without_a_catalogue_says_so(script: Scripted, status: int, kind: type[Exception]) -> None:
    script.says["/v2/_catalog"] = (status, {}, b"")
    with client_of(script) as client, pytest.raises(kind):
        content.repositories(client)


def test_a_catalogue_that_is_not_for_this_account_says_so(token_registry: Registry, script: Scripted) -> None:
    script.says["/v2/_catalog"] = (403, {}, b"")
    with (
        Client(Place(script.address, plain_http=True, inside=True), RIGHT) as client,
        pytest.raises(errors.CatalogueDenied),
    ):
        content.repositories(client)
    with Client(Place("docker.io")) as client, pytest.raises(errors.NoCatalogue, match="Look for one by its name"):
        content.repositories(client)


def test_deleting_where_nobody_may_says_so(script: Scripted) -> None:
    digest = f"sha256:{'a' * 64}"
    script.says["/v2/x/manifests/1"] = (200, {"Docker-Content-Digest": digest}, b"")
    unsupported = json.dumps({"errors": [{"code": "UNSUPPORTED", "message": "no"}]}).encode()
    script.says[f"/v2/x/manifests/{digest}"] = (405, {}, unsupported)
    with client_of(script) as client, pytest.raises(errors.DeleteUnsupported, match="storage.delete.enabled"):
        content.delete(client, "x", "1", digest)


@pytest.mark.parametrize(
    "manifest",
    [
        b"[1]",
        b"no json",
        b'{"manifests": 5}',
        b'{"manifests": [5, {"digest": "../../x"}, {"platform": []}]}',
        b'{"layers": [5, {"size": "x"}, {"size": -1}], "config": []}',
        b'{"config": {"digest": "sha256:../../_catalog"}}',
        b"{" * 100_000,
    ],
)
def test_an_odd_manifest_breaks_nothing(script: Scripted, manifest: bytes) -> None:
    script.says["/v2/x/manifests/1"] = (200, {"Docker-Content-Digest": "odd"}, manifest)
    with client_of(script) as client:
        tag = content.describe(client, "x", "1")
    assert isinstance(tag.error, errors.NotARegistry) or tag.size in {None, 0}
    assert {path for path, _ in script.asked} == {"/v2/x/manifests/1"}


@pytest.mark.parametrize(
    ("text", "registry", "repository", "full"),
    [
        ("nginx", "docker.io", "library/nginx", "nginx:latest"),
        ("team/app:1", "docker.io", "team/app", "team/app:1"),
        ("docker.io/nginx", "docker.io", "library/nginx", "docker.io/nginx:latest"),
        ("localhost/app", "localhost", "app", "localhost/app:latest"),
        ("ghcr.io/a/b@sha256:" + "0" * 64, "ghcr.io", "a/b", "ghcr.io/a/b@sha256:" + "0" * 64),
        ("10.0.0.5:5000/app:2", "10.0.0.5:5000", "app", "10.0.0.5:5000/app:2"),
    ],
)
def test_names_lead_to_the_registry_that_docker_asks(text: str, registry: str, repository: str, full: str) -> None:
    found = parse_reference(text)
    assert found
    assert (found.registry, found.repository, found.full) == (registry, repository, full)
