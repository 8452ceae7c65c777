"""Somebody of a team who may do everything with its own things on some hosts, as a program with a token."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import requests

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

OPEN = {"queued", "running"}


class Member:
    """Of a team of its own."""

    def __init__(self, product: Product, team: str, hosts: Iterable[str] = ("local",)) -> None:
        self.product, self.team, self.name = product, team, f"{team}-ann"
        product.api("users", "POST", name=self.name, role="member", service=True)
        product.api("teams", "POST", name=team)
        product.api(f"teams/{team}/members/{self.name}", "PUT", lead=False)
        for host in hosts:
            product.api("grants", "POST", team=team, role="deployer", host=host, own=True)
        self.token = product.manage("token", "create", self.name, "--name", "tests").strip()

    def ask(self, path: str, method: str = "GET", **body: Any) -> requests.Response:
        return requests.request(
            method,
            f"{self.product.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            json=body or ({} if method != "GET" else None),
            timeout=30,
        )

    def does(self, path: str, method: str = "POST", **body: Any) -> Any:
        """What is answered; of a job what became of it."""
        answer = self.ask(path, method, **body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        said = answer.json() if answer.content else {}
        return self.end(said["job"]) if "job" in said else said

    def end(self, job: int) -> Any:
        def ended() -> Any:
            found = self.ask(f"jobs/{job}").json()
            return found if found["state"] not in OPEN else None

        return until(ended, f"job {job} ends")

    def names(self, noun: str) -> set[str]:
        rows = self.ask(f"{noun}?limit=500").json()["items"]
        return {name for row in rows for name in row.get("tags", [row.get("name")])}


@contextmanager
def members(product: Product, engine: DockerEngine, *colours: str) -> Iterator[list[Member]]:
    """One of each of so many new teams; what they made goes with them."""
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    word = uuid4().hex[:6]
    made = [Member(product, f"{colour}-{word}") for colour in colours]
    product.api("owners", "PUT", noun="image", host="local", ref="busybox", shared=[one.team for one in made])
    yield made
    for kind, remove in (("container", ["rm", "-fv"]), ("volume", ["volume", "rm"]), ("network", ["network", "rm"])):
        for member in made:
            listed = "ps -aq" if kind == "container" else f"{kind} ls -q"
            found = engine.docker(*listed.split(), "--filter", f"label=dermaga.team={member.team}").split()
            if found:
                engine.docker(*remove, *found)
    for member in made:
        product.api(f"teams/{member.team}", "DELETE")
