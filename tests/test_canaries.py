"""Secrets go in everywhere, work is done and fails on real engines, and then they are looked for everywhere."""

import json
import sqlite3
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
import requests
from psycopg import sql

from tests.engines.docker_engine import DockerEngine
from tests.engines.plugins import plugin_tar
from tests.engines.registry import Registry
from tests.fake_engine import Cut, FakeEngine
from tests.fake_engine.behaviours import Behaviour
from tests.hosts.images.test_image_builds import build
from tests.hosts.logins import account
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
MARK = uuid4().hex[:8]


def canary(name: str) -> str:
    """A secret that is found nowhere by chance."""
    return f"canary-{name}-{MARK}"


RIGHT, WRONG, BUILD, GIT, ENV, TEXT = (canary(name) for name in ("right", "wrong", "build", "git", "env", "text"))
SWARM, NEXT, CONFIG, SETTING = (canary(name) for name in ("swarm", "next", "config", "setting"))
USER = "bird"
PAGES = (
    "/", "/hosts/", "/hosts/tls/edit/", "/hosts/ssh/edit/", "/registries/", "/registries/tokens/", "/registries/tokens/accounts/add/", "/jobs/",
    "/jobs/?format=json", "/images/", "/images/build/", "/images/pull/", "/containers/?format=json", "/events/",
    "/diagnostics/", "/plugins/", "/jobs/schedules/", "/secrets/", "/secrets/?format=json", "/configs/", "/swarms/", "/audit/", "/audit/?format=json",
)  # fmt: skip
LISTS = (
    "jobs?limit=100",
    "hosts",
    "registries",
    "containers",
    "images",
    "events?limit=100",
    "schedules",
    "plugins",
    "secrets",
    "configs",
    "audit?limit=500",
    "openapi.json",
)


class Echo(Behaviour):
    """An engine that repeats in its error whatever it was sent, as a proxy before it may do."""

    async def __call__(self, request: Any, connection: Any, normal: Any) -> None:
        said = " ".join(f"{name}: {value}" for name, value in request.headers.items())
        await connection.answer(500, {"message": f"bad request {request.query} {said}"})


class Processes(threading.Thread):
    """What the command lines of all processes, and the environment of the product's, have shown so far."""

    def __init__(self, product: Product) -> None:
        super().__init__(daemon=True)
        self.ours = f"DERMAGA_DATA={product.folder}/data".encode()
        self.seen: set[bytes] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                    if not Path(line.split(b"\0")[0].decode(errors="replace")).name.startswith("git"):
                        self.seen.add(line)  # an engine itself gives git the whole address of a build
                    if self.ours in (environment := (process / "environ").read_bytes()):
                        self.seen.add(environment)
                except OSError:
                    continue


@pytest.fixture
def processes(product: Product) -> Iterator[Processes]:
    watching = Processes(product)
    watching.start()
    yield watching
    watching.done.set()
    watching.join()


def stored_words(product: Product) -> Iterator[tuple[str, bytes]]:
    """The database as it lies on the disk, the broker, and all files of the data folder."""
    if product.full:
        with psycopg.connect(product.environment["DATABASE_URL"]) as base:
            names = base.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (name,) in names:
                rows = base.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name))).fetchall()
                yield f"table {name}", str(rows).encode()
        store = redis.Redis.from_url(product.environment["REDIS_URL"])
        for key in store.scan_iter():
            yield f"redis {key!r}", store.dump(key) or b""
    else:
        with sqlite3.connect(f"file:{product.folder}/data/dermaga.sqlite3?mode=ro", uri=True) as base:
            for line in base.iterdump():
                yield "database", line.encode()
    for place in (product.folder / "data").rglob("*"):
        if place.is_file():
            yield f"file {place.relative_to(product.folder)}", place.read_bytes()


def shown_words(product: Product, jobs: list[int]) -> Iterator[tuple[str, bytes]]:
    """Pages, lists and downloads."""
    for path in (*PAGES, *(f"/jobs/{job}/" for job in jobs), *(f"/jobs/{job}/log/" for job in jobs)):
        yield path, product.http.get(f"{product.url}{path}", timeout=20).content
    headers = {"Authorization": f"Bearer {product.token}"}
    for path in (*LISTS, *(f"jobs/{job}" for job in jobs), *(f"jobs/{job}/log" for job in jobs)):
        yield path, requests.get(f"{product.url}/api/v1/{path}", headers=headers, timeout=20).content


def work(product: Product, engine: DockerEngine, fake: FakeEngine, token: Registry, locked: Registry) -> list[int]:
    """Good and bad jobs with secrets in them; their numbers, once they are over."""
    right, wrong = f"{token.address}/team/canary:1", f"{locked.address}/team/canary:1"
    token.push(engine, "busybox", "team/canary:1")
    lost = account(product, "locked", WRONG, user="lost")

    def pull(host: str, image: str, **more: Any) -> int:
        return int(product.api(f"images/{host}/pull", "POST", image=image, **more)["job"])

    def create(image: str, **more: Any) -> int:
        return int(product.api("containers/local", "POST", image=image, env={"SECRET": ENV}, **more)["job"])

    jobs = [pull("local", right), pull("local", wrong, account=lost)]
    for job, state in zip(jobs, ("done", "failed"), strict=True):
        assert ended(product, job)["state"] == state
    until(lambda: product.api(f"images?host=local&search={right}")["count"], "the image shows")
    jobs.append(int(product.api("images/local/push", "POST", image=right)["job"]))
    assert ended(product, jobs[-1])["state"] == "done"
    for behaviour in (Echo(), Cut(after=150)):
        fake.misbehave("/images/create", behaviour)
        jobs.append(pull("fake", right))
        told = ended(product, jobs[-1])
        assert told["state"] == "failed"
        assert not isinstance(behaviour, Echo) or "•••" in told["error"]  # it came back, and was taken out
    fields = {"source": "dockerfile", "secret_args": f"TOKEN={BUILD}"}
    for dockerfile in ("RUN echo $TOKEN", "RUN echo $TOKEN; exit 3"):
        with build(product, **fields, dockerfile=f"FROM busybox\nARG TOKEN\n{dockerfile}\n") as watched:
            watched.end(60)
            assert BUILD not in str(watched.messages)
            jobs.append(watched.job)
    with build(product, source="git", remote=f"http://bot:{GIT}@127.0.0.1:9/none.git") as watched:
        assert watched.end(60)["state"] == "failed"
        jobs.append(watched.job)
    fake.misbehave("/build", Echo())
    with build(product, host="fake", **fields, dockerfile="FROM busybox\nARG TOKEN\n") as watched:
        assert "•••" in watched.end(60)["error"]
        jobs.append(watched.job)
    name = f"canary-{MARK}"
    jobs += [create("busybox", name=name, command=["sleep", "60"]), create(f"{token.address}/team/none:1")]
    assert [ended(product, job)["state"] for job in jobs[-2:]] == ["done", "failed"]
    until(lambda: product.api(f"containers/local/{name}")["state"] == "running", "it shows")
    write_a_file(product, engine, f"containers/local/{name}/files", name)
    engine.docker("rm", "-f", name)
    return jobs


def write_a_file(product: Product, engine: DockerEngine, path: str, container: str) -> None:
    """A text is stored in a container, and once more when it is another by then."""
    assert product.answer(f"{path}/make", "POST", {"path": "/tmp/secret", "kind": "file"}).ok
    stamp = product.api(f"{path}/stat?path=/tmp/secret")["stamp"]
    for status in (200, 409):
        answer = product.answer(f"{path}/content?path=/tmp/secret", "PUT", {"text": TEXT, "stamp": stamp})
        assert answer.status_code == status, answer.text
        assert TEXT not in answer.text
    assert engine.docker("exec", container, "cat", "/tmp/secret") == TEXT


def refused(product: Product, path: str, **body: Any) -> str:
    """What the API says to what it does not take."""
    headers = {"Authorization": f"Bearer {product.token}"}
    answer = requests.post(f"{product.url}/api/v1/{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code in {400, 404, 409, 422, 500, 502}, answer.text
    return answer.text


def work_in_a_swarm(product: Product, engine: DockerEngine) -> list[int]:
    """Secrets and configs of the swarm that `ssh` is, and what else is wrong with them."""
    name = until(lambda: next((s["name"] for s in product.api("swarms")["items"]), ""), "the swarm shows")
    for noun, value in (("secrets", SWARM), ("configs", CONFIG)):
        product.api(f"{noun}/{name}", "POST", name="canary", value=value)
        until(lambda noun=noun: product.api(f"{noun}?search=canary")["count"], f"{noun} show")  # type: ignore[misc]
        assert "already" in refused(product, f"{noun}/{name}", name="canary", value=value)
        assert value not in refused(product, f"{noun}/{name}", name="a b", value=value)
    job = int(product.api(f"secrets/{name}/canary/replace", "POST", value=NEXT)["job"])
    assert ended(product, job)["state"] == "done"
    assert len(engine.docker("secret", "ls", "-q").split()) == 2
    return [job]


def work_on_a_plugin(product: Product, engine: DockerEngine) -> list[int]:
    """A plugin of the host `ssh` is set, well and badly."""
    answer = requests.post(
        f"{product.url}/api/v1/plugins/ssh/create",
        {"name": "canary:1"},
        files={"file": ("plugin.tar", plugin_tar(engine.run))},
        headers={"Authorization": f"Bearer {product.token}"},
        timeout=30,
    )
    job = int(answer.json()["job"])
    assert ended(product, job)["state"] == "done"
    (found,) = until(lambda: product.api("plugins?host=ssh")["items"], "the plugin shows")
    path = f"plugins/ssh/{found['id']}/configure"
    product.api(path, "POST", settings=[f"DEBUG={SETTING}"])
    assert SETTING in engine.docker("plugin", "inspect", "canary:1")
    assert SETTING not in refused(product, path, settings=[f"NONE={SETTING}"])
    return [job]


def test_what_is_secret_shows_nowhere(
    product: Product,
    processes: Processes,
    docker_engine: DockerEngine,
    tls_engine: DockerEngine,
    ssh_engine: DockerEngine,
    fake_engine: FakeEngine,
    token_registry: Registry,
    locked_registry: Registry,
) -> None:
    sent_before = set((product.folder / "data" / "uploads").iterdir())
    assert token_registry.tokens and tls_engine.client_certificate and ssh_engine.ssh
    token_registry.tokens.users[USER] = RIGHT
    certificate = tls_engine.client_certificate
    with ExitStack() as stack:
        for name, registry in (("tokens", token_registry), ("locked", locked_registry)):
            product.api("registries", "POST", name=name, address=registry.address, plain_http=True)
            stack.callback(product.api, f"registries/{name}", "DELETE")
        account(product, "tokens", RIGHT, user=USER)
        product.api("hosts", "POST", name="fake", url=fake_engine.url)
        stack.callback(product.api, "hosts/fake", "DELETE")
        material = {"tls_ca": certificate.ca, "tls_cert": certificate.cert, "tls_key": certificate.key}
        product.api("hosts", "POST", name="tls", url=tls_engine.tls_url, **material)
        stack.callback(product.api, "hosts/tls", "DELETE")
        ssh_engine.docker("swarm", "init", "--advertise-addr", ssh_engine.address)
        stack.callback(ssh_engine.docker, "swarm", "leave", "--force")
        stack.callback(ssh_engine.docker, "plugin", "rm", "-f", "canary:1")
        material = {"ssh_key": ssh_engine.ssh.key, "ssh_known_hosts": ssh_engine.ssh.known_hosts}
        product.api("hosts", "POST", name="ssh", url=ssh_engine.ssh_url, **material)
        stack.callback(product.api, "hosts/ssh", "DELETE")
        for host in ("local", "fake", "tls", "ssh"):
            until(lambda host=host: product.api(f"hosts/{host}")["state"] == "online", f"{host} is online")  # type: ignore[misc]
        jobs = work(product, docker_engine, fake_engine, token_registry, locked_registry)
        jobs += work_in_a_swarm(product, ssh_engine) + work_on_a_plugin(product, ssh_engine)
        logins = [f"{USER}:{RIGHT}", f"lost:{WRONG}"]
        hidden = {
            **{secret: secret for secret in (RIGHT, WRONG, BUILD, GIT, ENV, TEXT, SWARM, NEXT, CONFIG, SETTING)},
            **{f"base64 {text}": b64encode(text.encode()).decode()[:-4] for text in (SWARM, NEXT, CONFIG, TEXT)},
            **{f"login {text}": b64encode(text.encode()).decode() for text in logins},
            "header": urlsafe_b64encode(json.dumps({"username": USER, "password": RIGHT}).encode()).decode()[:60],
            "TLS key": certificate.key.splitlines()[1],
            "SSH key": ssh_engine.ssh.key.splitlines()[2],
            "API token": product.token,
        }
        found = []
        words = [*stored_words(product), *shown_words(product, jobs), ("output", product.output.encode())]
        assert len(words) > 100
        words += [("a process", text) for text in processes.seen]
        for place, content in words:
            found += [f"{name} in {place}" for name, secret in hidden.items() if secret.encode() in content]
        assert found == []
        assert any(USER.encode() in content for _place, content in words)  # it was looked where things are
        assert set((product.folder / "data" / "uploads").iterdir()) - sent_before == set()
