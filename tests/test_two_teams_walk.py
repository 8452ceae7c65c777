"""A walk through the product as two rival teams on one real host: each page, each operation of the API and each socket, by
somebody of the one team, finds nothing of what the other has."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from api.examples import examples
from dashboard.routing import socket_urls
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import current
from tests.rivals import NOBODYS, addresses, names_of
from tests.servers.jobs import ended
from tests.servers.member import Member, members
from tests.servers.product import PASSWORD, Product
from tests.waiting import until

MOVING = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|<time.*?</time>|data-token="[^"]*"|nonce="[^"]*"')
READ_AT_MOST = 2_000_000  # of an answer that may be a stream


@dataclass
class Side:
    """A team with somebody in a browser, and what it has on the host."""

    member: Member
    browser: requests.Session
    product: Product
    more: dict[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        return self.member.team

    @property
    def known(self) -> dict[str, str]:
        """What stands in addresses for its things."""
        return names_of(self.word, "local") | {"team": self.word} | self.more

    def sees(self, path: str) -> str:
        """The text of a page, as far as it is read."""
        with self.browser.get(f"{self.product.url}{path}", timeout=30, stream=True) as answer:
            raw = next(answer.iter_content(READ_AT_MOST), b"")
        return raw.decode(errors="replace")

    def calls(self, operation: str, example: Any, known: dict[str, str]) -> requests.Response:
        """An operation of the API, of the objects that `known` names."""
        method, _, path = operation.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda part: known.get(part[1], "x"), path)
        url = f"{self.product.url}/api/v1/{path}" + (f"?{example.query}" if example.query else "")
        headers = {"Authorization": f"Bearer {self.member.token}"}
        if example.form is not None:
            return requests.request(
                method, url, data=example.form, files={"file": ("a.tar", b"x")}, headers=headers, timeout=30
            )
        return requests.request(method, url, json=example.body or {}, headers=headers, timeout=30)


def furnish(member: Member, product: Product, engine: DockerEngine) -> Side:
    """A container with a network, a volume and an image of the team's own, all called by its name, and a person."""
    word, name = member.team, f"{member.team}-ben"
    engine.docker("build", "-q", "-t", f"{word}/app:1", "-", stdin=f"FROM busybox\nLABEL of={word}\n".encode())
    shown = lambda: any(f"{word}/app:1" in row["tags"] for row in product.api("images?limit=500")["items"])  # noqa: E731
    until(shown, "the image shows")
    product.api("owners", "PUT", noun="image", host="local", ref=f"{word}/app:1", team=word)
    member.does("networks/local", name=f"{word}-net")
    spec: dict[str, Any] = {
        "image": f"{word}/app:1",
        "name": f"{word}-web",
        "command": ["sh", "-c", f"echo {word} speaks; exec sleep 1000"],
        "env": {"WHOSE": word},
        "networks": [{"name": f"{word}-net"}],
        "mounts": [{"type": "volume", "source": f"{word}-data", "target": "/data"}],
    }
    job = member.does("containers/local", **spec)
    assert job["state"] == "done", job
    until(lambda: f"{word}-web" in member.names("containers"), "the container shows")
    kept = member.does(f"volumes/local/{word}-data/backup", destination="shelf")
    assert kept["state"] == "done", kept
    product.api("users", "POST", name=name, role="member", password=PASSWORD)
    product.api(f"teams/{word}/members/{name}", "PUT", lead=False)
    image = engine.docker("images", "-q", "--no-trunc", f"{word}/app:1").strip()
    more = {"job_id": str(kept["id"]), "backup": str(kept["result"]["backup"]), "image_id": image}
    return Side(member, product.session(name), product, more)


@pytest.fixture(scope="module")
def shelf(product: Product) -> Iterator[None]:
    """A destination of backups, which is the installation's."""
    folder = current().folder / "backups" / "shelf"
    folder.mkdir(parents=True)
    product.api("destinations", "POST", name="shelf", kind="folder", folder=str(folder))
    yield
    kept = [backup["id"] for backup in product.api("backups?destination=shelf&limit=500")["items"]]
    ended(product, product.api("backups/remove", "POST", backups=kept)["job"])
    product.api("destinations/shelf", "DELETE")


@pytest.fixture(scope="module")
def sides(product: Product, docker_engine: DockerEngine, shelf: None) -> Iterator[tuple[Side, Side]]:
    with members(product, docker_engine, "blue", "red") as (blue, red):
        yield furnish(blue, product, docker_engine), furnish(red, product, docker_engine)
    for member in (blue, red):
        docker_engine.docker("rmi", "-f", f"{member.team}/app:1")
        product.api(f"users/{member.team}-ben", "DELETE")


def test_pages_show_ones_own_and_nothing_of_the_other(sides: tuple[Side, Side]) -> None:
    blue, red = sides
    found, seen, own = [], 0, 0
    for address in addresses(red.word, "local", red.known):
        text = red.sees(address)
        seen, own = seen + 1, own + (red.word in text)
        if blue.word in text:
            at = text.index(blue.word)
            found.append((address, text[max(0, at - 120) : at + 60]))
    assert not found, "\n".join(map(str, found))
    assert seen > 200 and own > 40, (seen, own)


def test_a_job_and_a_backup_are_the_teams_whoever_of_it_made_them(sides: tuple[Side, Side]) -> None:
    """Who walks is another person of the team than who asked."""
    for side in sides:
        job, backup, name = side.known["job_id"], side.known["backup"], f"{side.word}-data"
        pages = (f"/jobs/{job}/", f"/backups/{backup}/", "/backups/", "/jobs/", f"/volumes/local/{name}/")
        for page in pages:
            assert name in side.sees(page), page
        assert f"/backups/{backup}/" in side.sees(f"/jobs/{job}/") + side.sees(f"/volumes/local/{name}/")


def test_a_page_of_the_other_is_as_one_of_what_does_not_exist(sides: tuple[Side, Side]) -> None:
    blue, red = sides
    found, seen = [], 0
    unknown = names_of(NOBODYS, "local")
    pairs = zip(
        addresses(blue.word, "local", blue.known), addresses(NOBODYS, "local", unknown), strict=True
    )  # the same routes in the same order
    for theirs, nobodys in pairs:
        if theirs == nobodys:
            continue
        for method in ("GET", "POST"):
            ends = []
            for path in (theirs, nobodys):
                headers = {"X-CSRFToken": red.browser.cookies.get("csrftoken") or "", "Referer": f"{red.product.url}/"}
                with red.browser.request(
                    method, f"{red.product.url}{path}", headers=headers, timeout=30, stream=True
                ) as answer:
                    ends.append(answer.status_code)
            seen += 1
            if ends[0] == 200 or ends[0] != ends[1]:
                found.append((method, theirs, ends))
    assert not found, "\n".join(map(str, found))
    assert seen > 200, seen


def test_the_api_gives_nothing_of_the_other(sides: tuple[Side, Side]) -> None:
    blue, red = sides
    found, seen = [], 0
    for operation, example in examples().items():
        if operation.startswith("GET "):
            text, seen = red.calls(operation, example, red.known).text, seen + 1
            if blue.word in text:
                found.append((operation, text[max(0, text.index(blue.word) - 80) :][:160]))
    assert not found, "\n".join(map(str, found))
    assert seen > 60, seen


def test_an_operation_on_what_the_other_has_is_as_on_what_does_not_exist(
    sides: tuple[Side, Side], docker_engine: DockerEngine
) -> None:
    blue, red = sides
    before = things(docker_engine, blue.word)
    found, seen = [], 0
    unknown = names_of(NOBODYS, "local")
    for operation, example in examples().items():
        if not set(re.findall(r"\{(\w+)\}", operation)) - {"host", "name", "destination", "verb"}:
            continue  # about the host, which both share
        theirs, nobodys = red.calls(operation, example, blue.known), red.calls(operation, example, unknown)
        seen += 1
        said, other = MOVING.sub("", theirs.text), MOVING.sub("", nobodys.text)
        for noun, name in blue.known.items():
            if not name.isdecimal() and name != "local":
                said = said.replace(name, unknown[noun])
        if theirs.status_code != nobodys.status_code or said != other:
            found.append((operation, theirs.status_code, nobodys.status_code, theirs.text[:200], other[:200]))
    assert not found, "\n".join(map(str, found))
    assert seen > 120, seen
    assert things(docker_engine, blue.word) == before


def things(engine: DockerEngine, word: str) -> list[str]:
    """What the engine has by that name, and how it is."""
    inspect = json.loads(engine.docker("inspect", f"{word}-web"))[0]
    listed = [engine.docker(noun, "ls", "-q", "--filter", f"name={word}") for noun in ("volume", "network")]
    return [inspect["Id"], inspect["State"]["StartedAt"], *listed]


def test_sockets_tell_what_the_other_has_from_nothing_no_more_than_pages(sides: tuple[Side, Side]) -> None:
    blue, red = sides
    seen = 0
    for path in [f"/{route.pattern}" for route in socket_urls]:
        if path == "/ws/changes":
            continue
        ends = []
        for word, job in ((blue.word, blue.known["job_id"]), (NOBODYS, names_of(NOBODYS)["job_id"])):
            asked = path.replace("<int:job_id>", job) + f"?target=local/{word}-web&q=x&cmd=sh"
            with red.product.websocket(asked, red.browser) as socket:
                ends.append(heard(socket).replace(word, "WORD"))
        assert ends[0] == ends[1], (path, ends)
        assert "speaks" not in ends[0]
        seen += 1
    assert seen == len(socket_urls) - 1


def heard(socket: Any) -> str:
    """What comes within a second, and with what it is closed."""
    said = []
    try:
        while True:
            said.append(str(socket.recv(timeout=1.5)))
    except TimeoutError:
        return "\n".join(said)
    except Exception as error:  # closed
        return "\n".join([*said, str(getattr(error, "code", "")), type(error).__name__])
