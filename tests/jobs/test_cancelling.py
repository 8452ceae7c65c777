"""Every kind of job is cancelled while an engine gives no answer: it ends at once, and says what it may have left."""

import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from queue import SimpleQueue
from time import monotonic
from typing import Any

import pytest
import requests
import zstandard

from hosts.engine import volume_helpers
from jobs import kinds
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import current
from tests.fake_engine import FakeContainer, FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.managers import NODE, RECORDED, Says, manage
from tests.fake_engine.things import image, network
from tests.fake_engine.wire import Connection, Request
from tests.hosts.backups import cargo
from tests.hosts.containers.test_files import Archive
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
ENGINES, MANAGERS = 5, 2
WITHIN = 3.0  # seconds from the click to the end
PLUGINS = [
    {"Id": "a" * 64, "Name": "quay/off:1", "Enabled": False, "PluginReference": "r.example/quay/off:1"},
    {"Id": "b" * 64, "Name": "quay/on:1", "Enabled": True, "PluginReference": "r.example/quay/on:1"},
]
SERVICE = RECORDED["services"][0] | {"PreviousSpec": RECORDED["services"][0]["Spec"]}
SECRET, CONFIG = RECORDED["secrets"][0], RECORDED["configs"][0]
TOKEN = "SWMTKN-1-" + "a" * 50 + "-" + "b" * 25


@dataclass
class Holds(Behaviour):
    """Never answers the first request with this method, or any if `ever`.

    Helper containers do not count: what a case before this one left is put back when its engine behaves again.
    """

    method: str
    ever: bool = False
    asked: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        if request is None or not self._is_meant(request):
            await normal(connection)
            return
        self.asked.set()
        await connection.closed_by_client()
        self.left.set()

    def _is_meant(self, request: Request) -> bool:
        if request.method != self.method or request.path.startswith(f"/containers/{volume_helpers.NAME}"):
            return False
        return self.ever or not self.asked.is_set()


@dataclass
class Bench:
    """One fake engine that is a host of the product, for one case at a time."""

    product: Product
    engine: FakeEngine
    host: str
    other: str  # host
    swarm_id: str = ""
    swarm: str = ""  # as it is called here
    backup: int = 0  # that can be restored

    def post(self, path: str, method: str = "POST", **body: Any) -> int:
        """Calls the API, which answers with a job; `{host}` and `{swarm}` in the path are this one's."""
        return int(self.product.api(path.format(host=self.host, swarm=self.swarm), method, **body)["job"])

    def files(self, path: str, method: str, body: dict[str, str]) -> int:
        """The same of files of the container web-1: their bodies name a path."""
        answer = self.product.answer(f"containers/{self.host}/web-1/files/{path}", method, body)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["job"])

    def send(self, path: str, file: str, content: bytes, **fields: str) -> int:
        """The same with a file."""
        answer = requests.post(
            f"{self.product.url}/api/v1/{path.format(host=self.host)}",
            fields,
            files={file: ("a.tar", content)},
            headers={"Authorization": f"Bearer {self.product.token}"},
            timeout=30,
        )
        assert answer.status_code == 202, answer.text
        return int(answer.json()["job"])

    def click(self, path: str, *names: str) -> int:
        """Sends the form of a page, which leads to a job."""
        answer = self.product.post(path, target=[f"{self.host}/{name}" for name in names])
        return int(answer.url.rstrip("/").rpartition("/")[2])

    def recreate(self) -> int:
        spec = self.product.api(f"containers/{self.host}/web-1/specification")
        return self.post("containers/{host}/web-1/recreate", specification=spec, settle=0)

    def rotate_key(self) -> int:
        locked = {"Spec": RECORDED["swarm"]["Spec"] | {"EncryptionConfig": {"AutoLockManagers": True}}}
        self.engine.misbehave("/swarm", Says(RECORDED["swarm"] | {"ID": self.swarm_id} | locked))
        return self.post("swarms/{swarm}/rotate", what="key")

    def prune_all(self) -> int:
        plan = self.product.api(f"disk/{self.host}/prune", "POST", dry_run=True)["plan"]
        return self.post("disk/{host}/prune", plan=plan)


def a_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        entry = tarfile.TarInfo("x")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
    return file.getvalue()


@dataclass(frozen=True)
class Case:
    """How the job is asked for, the request that the engine never answers, and what the job says that it left."""

    ask: Callable[[Bench], int]
    held: str  # "METHOD /path"
    says: str = ""
    answers: dict[str, Behaviour] = field(default_factory=dict)  # by path, before that
    after: str = ""  # a path that was asked for before that: the watcher asks for what is held too


MAY = "may do it all the same"
STAMP = "2026-01-01T00:00:00Z 1"  # of the file that Archive tells of
MADE = "may have been made"
NONE_WENT = "0 of "
SHELF = "slack-shelf"  # a destination
NO_ENGINE = {"backup.check", "backup.remove"}  # they ask a destination alone
SWARM: dict[str, Behaviour] = {
    f"/services/{SERVICE['ID']}": Says(SERVICE),
    f"/secrets/{SECRET['ID']}": Says(SECRET),
    f"/configs/{CONFIG['ID']}": Says(CONFIG),
}
NOTHING_ASKED: dict[str, Behaviour] = {"/plugins/privileges": Says([])}
UPDATE = f"/services/{SERVICE['ID']}/update"
OFF = "plugins/{host}/" + "a" * 64
NODE_PATH = "nodes/{swarm}/" + NODE["ID"]
SERVICE_PATH = "services/{swarm}/" + SERVICE["ID"]

CASES: dict[str, list[Case]] = {
    # ---------------------------------------------------------------- images
    "image.pull": [Case(lambda b: b.post("images/{host}/pull", image="r.example/a:1"), "POST /images/create")],
    "image.push": [
        Case(lambda b: b.post("images/{host}/push", image=f"r.example/{b.host}:1"), "POST /images/*/push"),
    ],
    "image.prune": [
        Case(lambda b: b.post("images/{host}/prune"), "POST /images/prune", "removed before it was stopped are gone")
    ],
    "image.prune_shown": [
        Case(lambda b: b.post("images/{host}/prune", images=[image("busybox:latest")["Id"]]), "DELETE /images/*", MAY)
    ],
    "image.remove": [
        Case(lambda b: b.post(f"images/{b.host}/r.example/{b.host}:1/remove"), "DELETE /images/*", MAY),
    ],
    "image.tag": [
        Case(lambda b: b.post(f"images/{b.host}/r.example/{b.host}:1/tag", name="a:2"), "POST /images/*/tag", MAY)
    ],
    "image.untag": [
        Case(
            lambda b: b.post(f"images/{b.host}/r.example/{b.host}:1/untag", name=f"r.example/{b.host}:1"),
            "DELETE /images/*",
            MAY,
        )
    ],
    "image.build": [
        Case(
            lambda b: b.send("images/{host}/build", "files", b"x", name="a:1", dockerfile="FROM busybox"),
            "POST /build",
            "Steps that were built stay",
        )
    ],
    "image.copy": [
        Case(lambda b: b.post(f"images/{b.host}/r.example/{b.host}:1/copy", to=b.other), "GET /images/*get"),
    ],
    "image.load": [
        Case(lambda b: b.send("images/{host}/load", "file", a_tar()), "POST /images/load", MAY),
    ],
    "image.import": [
        Case(lambda b: b.send("images/{host}/import", "file", a_tar(), name="a:1"), "POST /images/create", MAY)
    ],
    # ---------------------------------------------------------------- containers
    "container.commit": [
        Case(lambda b: b.post("containers/{host}/web-1/commit", image="team/x:1"), "POST /commit", "may still appear")
    ],
    "container.prune": [
        Case(lambda b: b.post("containers/{host}/prune"), "DELETE /containers/*", NONE_WENT),
    ],
    "container.create": [
        Case(
            lambda b: b.post("containers/{host}", image="busybox:latest"),
            "POST /containers/create",
            "there may be a container",
        )
    ],
    "container.recreate": [Case(Bench.recreate, "POST /containers/*/stop")],
    "container.put_back": [
        Case(
            lambda b: b.post("containers/{host}/quay.dermaga-old-1/put-back"),
            "POST /containers/*/rename",
            "may still be called quay.dermaga-old-1",
        )
    ],
    "containers.bulk": [Case(lambda b: b.click("/containers/bulk/stop/", "web-1"), "POST /containers/*/stop", MAY)],
    **{
        f"container.{verb}": [
            Case(
                lambda b, verb=verb, name=name: b.post(f"containers/{{host}}/{name}/{verb}"),  # type: ignore[misc]
                f"POST /containers/*/{verb}",
                MAY,
            )
        ]
        for verb, name in (
            *(("stop", "web-1"), ("restart", "web-1"), ("kill", "web-1"), ("pause", "web-1")),
            *(("start", "old"), ("unpause", "frozen")),
        )
    },
    "container.rename": [
        Case(lambda b: b.post("containers/{host}/old/rename", name="other"), "POST /containers/*/rename", MAY)
    ],
    "container.remove": [Case(lambda b: b.post("containers/{host}/old/remove"), "DELETE /containers/*", MAY)],
    "container.update": [
        Case(
            lambda b: b.post("containers/{host}/web-1/update", limits={"pids": 77}),
            "POST /containers/*/update",
            MAY,
        )
    ],
    **{
        f"files.{verb}": [
            Case(
                lambda b, path=path, how=how, body=body: b.files(path, how, body),  # type: ignore[misc]
                held,
                MAY,
                {"/containers/*/archive": Archive(a_tar(), mode=0o644)} if verb in {"write", "chmod", "delete"} else {},
            )
        ]
        for verb, held, path, how, body in (
            ("write", "PUT /containers/*/archive", "content?path=/x", "PUT", {"text": "canary", "stamp": STAMP}),
            ("make", "HEAD /containers/*/archive", "make", "POST", {"path": "/srv/new"}),
            ("rename", "HEAD /containers/*/archive", "rename", "POST", {"path": "/srv/a", "new": "b"}),
            ("chmod", "POST /containers/*/exec", "chmod", "POST", {"path": "/x", "mode": "600"}),
            ("delete", "POST /containers/*/exec", "delete", "POST", {"path": "/x"}),
        )
    },
    "files.upload": [
        Case(
            lambda b: b.send("containers/{host}/web-1/files/upload?path=/srv", "files", b"x"),
            "PUT /containers/*/archive",
            "the files that had arrived",
            {"/containers/*/archive": Archive(a_tar())},
        )
    ],
    # ---------------------------------------------------------------- plugins
    "plugin.look": [Case(lambda b: b.post("plugins/{host}/privileges", plugin="r.example/a:1"), "GET /plugins/priv*")],
    "plugin.create": [
        Case(lambda b: b.send("plugins/{host}/create", "file", a_tar(), name="a:1"), "POST /plugins/create", MAY)
    ],
    "plugin.push": [Case(lambda b: b.post(f"{OFF}/push"), "POST /plugins/*/push")],
    "plugin.install": [
        Case(
            lambda b: b.post("plugins/{host}/install", plugin="r.example/a:1", privileges=[]),
            "POST /plugins/pull",
            answers=NOTHING_ASKED,
        ),
        Case(
            lambda b: b.post("plugins/{host}/install", plugin="r.example/a:1", privileges=[]),
            "POST /plugins/*/enable",
            "is installed, and may be enabled yet",
            NOTHING_ASKED | {"/plugins/pull": Says({"status": "Download complete"})},
        ),
        Case(
            lambda b: b.post("plugins/{host}/install", plugin="r.example/a:2", privileges=[]),
            "GET /plugins",
            answers=NOTHING_ASKED | {"/plugins/pull": Says({"status": "Download complete"})},
        ),
    ],
    "plugin.upgrade": [
        Case(
            lambda b: b.post(f"{OFF}/upgrade", plugin="r.example/quay/off:2", privileges=[]),
            "POST /plugins/*/upgrade",
            answers=NOTHING_ASKED,
        )
    ],
    "plugin.enable": [Case(lambda b: b.post(f"{OFF}/enable"), "POST /plugins/*/enable", MAY)],
    "plugin.configure": [Case(lambda b: b.post(f"{OFF}/configure", settings=["DEBUG=1"]), "POST /plugins/*/set", MAY)],
    "plugin.delete": [Case(lambda b: b.post(f"{OFF}/remove"), "DELETE /plugins/*", MAY)],
    "plugin.disable": [
        Case(lambda b: b.post("plugins/{host}/" + "b" * 64 + "/disable"), "POST /plugins/*/disable", MAY)
    ],
    # ---------------------------------------------------------------- networks, volumes, the host
    "volume.create": [Case(lambda b: b.post("volumes/{host}", name="fresh"), "POST /volumes/create", MAY)],
    "volume.files": [Case(lambda b: b.post("volumes/{host}/data/files"), "POST /containers/create", MAY)],
    "volume.delete": [Case(lambda b: b.post("volumes/{host}/data/remove"), "DELETE /volumes/data", MAY)],
    "network.create": [Case(lambda b: b.post("networks/{host}", name="fresh"), "POST /networks/create", MAY)],
    **{
        f"network.{verb}": [
            Case(
                lambda b, verb=verb: b.post(f"networks/{{host}}/unused/{verb}", container="web-1"),  # type: ignore[misc]
                f"POST /networks/*/{verb}",
                MAY,
            )
        ]
        for verb in ("connect", "disconnect")
    },
    "network.remove": [Case(lambda b: b.post("networks/{host}/unused/remove"), "DELETE /networks/*", MAY)],
    "network.prune": [Case(lambda b: b.post("networks/{host}/prune"), "DELETE /networks/*", MAY)],
    "volume.remove": [
        Case(lambda b: b.post("volumes/{host}/remove", volumes=["data"]), "DELETE /volumes/data", MAY),
    ],
    "volume.copy": [Case(lambda b: b.post("volumes/{host}/data/copy", name="twin"), "POST /volumes/create", MADE)],
    "volume.backup": [
        Case(
            lambda b: b.post("volumes/{host}/data/backup", destination=SHELF),
            "POST /containers/create",
            "is not removed yet",
        )
    ],
    "volume.restore": [
        Case(
            lambda b: b.post(f"backups/{b.backup}/restore", volume="again", host=b.host),
            "POST /volumes/create",
            MADE,
        )
    ],
    "volume.unpack": [
        Case(
            lambda b: b.send("volumes/{host}/restore", "file", zstandard.compress(a_tar()), volume="sent"),
            "POST /volumes/create",
            MADE,
        )
    ],
    "disk.measure": [Case(lambda b: b.post("disk/{host}/measure"), "GET /system/df")],
    "system.prune": [Case(Bench.prune_all, "DELETE /containers/*", NONE_WENT)],
    # ---------------------------------------------------------------- swarms
    "swarm.init": [Case(lambda b: b.post("swarms/init", host=b.host), "POST /swarm/init", MAY)],
    "swarm.join": [
        Case(
            lambda b: b.post("swarms/join", host=b.host, token=TOKEN, remotes=["10.0.0.5:2377"]),
            "POST /swarm/join",
            "may go on trying to join",
        )
    ],
    "swarm.unlock": [Case(lambda b: b.post("swarms/unlock", host=b.host, key="SWMKEY-1-x"), "POST /swarm/unlock", MAY)],
    "swarm.leave": [
        Case(lambda b: b.post("swarms/leave", host=b.host, force=True), "POST /swarm/leave", MAY, SWARM),
    ],
    "service.create": [
        Case(
            lambda b: b.post("services/{swarm}", name="new", image="busybox", pin=False),
            "POST /services/create",
            "the service new may be there",
            SWARM,
        )
    ],
    "service.update": [
        Case(
            lambda b: b.post(SERVICE_PATH, "PATCH", spec={"command": ["true"]}, pin=False),
            "POST /services/*/update",
            MAY,
            SWARM,
        ),
        Case(  # no registry answers for the digest
            lambda b: b.post(SERVICE_PATH, "PATCH", spec={"image": "r.example/a:1"}),
            "GET /distribution/*",
            MAY,
            SWARM,
        ),
    ],
    "service.scale": [
        Case(lambda b: b.post(f"{SERVICE_PATH}/scale", replicas=3), "POST /services/*/update", MAY, SWARM),
        Case(  # and then it waits for the tasks
            lambda b: b.post(f"{SERVICE_PATH}/scale", replicas=4),
            "GET /tasks",
            "The swarm goes on by itself",
            SWARM | {UPDATE: Says({})},
            after=UPDATE,
        ),
    ],
    "service.redeploy": [
        Case(lambda b: b.post(f"{SERVICE_PATH}/redeploy", pin=False), "POST /services/*/update", MAY, SWARM)
    ],
    "service.rollback": [Case(lambda b: b.post(f"{SERVICE_PATH}/rollback"), "POST /services/*/update", MAY, SWARM)],
    "service.remove": [
        Case(lambda b: b.post(f"{SERVICE_PATH}/remove"), f"DELETE /services/{SERVICE['ID']}", MAY, SWARM)
    ],
    "swarm.change": [
        Case(lambda b: b.post("swarms/{swarm}", "PATCH", task_history=3), "POST /swarm/update", MAY, SWARM)
    ],
    "swarm.rotate_token": [
        Case(lambda b: b.post("swarms/{swarm}/rotate", what="worker"), "POST /swarm/update", MAY, SWARM)
    ],
    "swarm.rotate_unlock_key": [Case(Bench.rotate_key, "POST /swarm/update", MAY, SWARM)],
    "node.role": [Case(lambda b: b.post(f"{NODE_PATH}/promote"), f"POST /nodes/{NODE['ID']}/update", MAY, SWARM)],
    "node.change": [
        Case(
            lambda b: b.post(NODE_PATH, "PATCH", availability="pause", labels={"a": "b"}),
            f"POST /nodes/{NODE['ID']}/update",
            MAY,
            SWARM,
        )
    ],
    "node.remove": [Case(lambda b: b.post(f"{NODE_PATH}/remove"), f"DELETE /nodes/{NODE['ID']}", MAY, SWARM)],
    **{
        f"{noun}.{verb}": [
            Case(
                lambda b, path=f"{noun}s/{{swarm}}{path}", how=how, body=body: b.post(path, how, **body),  # type: ignore[misc]
                held,
                MAY,
                SWARM,
            )
        ]
        for noun, key in (("secret", SECRET["ID"]), ("config", CONFIG["ID"]))
        for verb, held, path, how, body in (
            ("create", f"POST /{noun}s/create", "", "POST", {"name": "fresh", "value": "canary"}),
            ("labels", f"POST /{noun}s/*/update", f"/{key}", "PATCH", {"labels": {"a": "b"}}),
            ("remove", f"DELETE /{noun}s/{key}", f"/{key}/remove", "POST", {}),
        )
    },
    "stack.remove": [
        Case(lambda b: b.post("stacks/{swarm}/st/remove"), f"DELETE /services/{SERVICE['ID']}", MAY, SWARM)
    ],
    "secret.replace": [
        Case(
            lambda b: b.post(f"secrets/{{swarm}}/{SECRET['ID']}/replace", value="canary"),
            "POST /secrets/create",
            MAY,
            SWARM,
        )
    ],
    "config.replace": [
        Case(
            lambda b: b.post(f"configs/{{swarm}}/{CONFIG['ID']}/replace", value="other"),
            "POST /configs/create",
            MAY,
            SWARM,
        )
    ],
}
ALL = [(kind, n) for kind, cases in CASES.items() for n in range(len(cases))]


def in_a_swarm(case: Case) -> bool:
    return case.answers.keys() >= SWARM.keys()


# ---------------------------------------------------------------- all at once: each engine takes one case at a time
@dataclass
class End:
    """What became of a case."""

    asked: float  # seconds until the request was answered
    seconds: float
    job: dict[str, Any]
    page: str
    hung_up: bool


def furnished(name: str) -> FakeEngine:
    there = [FakeContainer("web-1"), FakeContainer("old", state="exited"), FakeContainer("frozen", state="paused")]
    there.append(FakeContainer("quay.dermaga-old-1", state="exited"))
    engine = FakeEngine(there, tcp=True)
    engine.images.append(image(f"r.example/{name}:1"))
    engine.images[-1]["RepoTags"].append(f"r.example/{name}:2")
    engine.networks.append(network("unused"))
    return engine


def rest(bench: Bench) -> None:
    """The engine behaves again."""
    bench.engine.behave()
    bench.engine.misbehave("/plugins", Says(PLUGINS))
    if bench.swarm_id:
        manage(bench.engine, bench.host, bench.swarm_id)
        bench.engine.misbehave("/services", Says([SERVICE]))


def cancel(bench: Bench, case: Case) -> End:
    method, path = case.held.split()
    holds = Holds(method, ever=method == "GET")
    for place, behaviour in case.answers.items():
        bench.engine.misbehave(place, behaviour)
    below = case.answers.get(path)
    bench.engine.misbehave(path, _Over(holds, below) if below else holds)
    began = monotonic()
    number = case.ask(bench)
    asked = monotonic() - began
    product = bench.product
    if case.after:
        until(lambda: any(one.path == case.after for one in bench.engine.requests), f"{case.after} is asked for")
    assert holds.asked.wait(15), f"{case.held} was never asked: {product.api(f'jobs/{number}')}"
    until(lambda: product.api(f"jobs/{number}")["state"] == "running", "it runs")
    began = monotonic()
    product.api(f"jobs/{number}/cancel", "POST")
    job = until(lambda: _ended(product, number), f"{case.held}: the job ends")
    seconds = monotonic() - began
    return End(asked, seconds, job, product.http.get(f"{product.url}/jobs/{number}/").text, holds.left.wait(2))


@dataclass
class _Over(Behaviour):
    """Holds what is to be held, and answers the rest as `below` does."""

    holds: Holds
    below: Behaviour

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        async def other(to: Connection) -> None:
            await self.below(request, to, normal)

        await self.holds(request, connection, other)


def _ended(product: Product, number: int) -> dict[str, Any] | None:
    job: dict[str, Any] = product.api(f"jobs/{number}")
    return job if job["state"] not in {"queued", "running"} else None


@pytest.fixture(scope="module")
def backup(product: Product, docker_engine: DockerEngine) -> Iterator[int]:
    """One that is kept, by its number, at the destination SHELF."""
    folder = current().folder / "backups" / SHELF
    folder.mkdir()
    cargo.fill(docker_engine, "slack-cargo", "touch /v/one")
    product.api("destinations", "POST", name=SHELF, kind="folder", folder=str(folder))
    cargo.known(product, "slack-cargo")
    cargo.done(product, "volumes/local/slack-cargo/backup", destination=SHELF)
    number = product.api("backups?volume=slack-cargo")["items"][0]["id"]
    yield number
    cargo.done(product, "backups/remove", backups=[number])
    product.api(f"destinations/{SHELF}", "DELETE")
    docker_engine.docker("volume", "rm", "slack-cargo")


@pytest.fixture(scope="module")
def benches(product: Product, backup: int) -> Iterator[list[Bench]]:
    names = [f"slack-{n}" for n in range(ENGINES + MANAGERS)]
    engines = [furnished(name) for name in names]
    made = [
        Bench(product, engine, name, names[n - 1], f"tide-{n}" if n >= ENGINES else "", backup=backup)
        for n, (name, engine) in enumerate(zip(names, engines, strict=True))
    ]
    try:
        for bench in made:
            bench.engine.__enter__()
            rest(bench)
            product.api("hosts", "POST", name=bench.host, url=bench.engine.url)
        for bench in made:
            until(lambda bench=bench: _is_known(bench), f"{bench.host} is known")  # type: ignore[misc]
        yield made
    finally:
        for bench in made:
            product.api(f"hosts/{bench.host}", "DELETE")
            bench.engine.__exit__()


def _is_known(bench: Bench) -> bool:
    found = bench.product.api(f"plugins?host={bench.host}")["count"] == len(PLUGINS)
    if not bench.swarm_id or not found:
        return found
    for swarm in bench.product.api("swarms")["items"]:
        if swarm["id"] == bench.swarm_id:
            known = all(bench.product.api(f"{noun}?swarm={swarm['name']}")["count"] for noun in ("services", "configs"))
            bench.swarm = swarm["name"]
            return known
    return False


@pytest.fixture(scope="module")
def ends(benches: list[Bench]) -> dict[tuple[str, int], End | BaseException]:
    """Of every case."""
    free: dict[bool, SimpleQueue[Bench]] = {False: SimpleQueue(), True: SimpleQueue()}
    for bench in benches:
        free[bool(bench.swarm_id)].put(bench)

    def one(case: Case) -> End | BaseException:
        bench = free[in_a_swarm(case)].get()
        try:
            return cancel(bench, case)
        except BaseException as error:
            return error
        finally:
            rest(bench)
            free[in_a_swarm(case)].put(bench)

    with ThreadPoolExecutor(ENGINES + MANAGERS) as pool:
        return dict(zip(ALL, pool.map(one, chain.from_iterable(CASES.values())), strict=True))


def test_every_kind_is_in_the_table() -> None:
    assert set(CASES) == set(kinds.names()) - NO_ENGINE


@pytest.mark.parametrize(("kind", "n"), ALL)
def test_it_ends_at_once_and_says_what_it_left(
    ends: dict[tuple[str, int], End | BaseException], kind: str, n: int
) -> None:
    end, case = ends[kind, n], CASES[kind][n]
    if isinstance(end, BaseException):
        raise end
    assert (end.job["kind"], end.job["state"], end.job["error"]) == (kind, "cancelled", "")
    assert end.seconds < WITHIN
    if kinds.get_kind(kind).short:
        assert end.asked < WITHIN, "the request waited for the engine"
    assert end.hung_up, "the engine still thinks that somebody waits"
    assert case.says in " ".join(end.job["left"])
    assert bool(case.says) == bool(end.job["left"]), end.job["left"]
    assert all(part.get("state") not in {"queued", "running"} for part in end.job.get("parts") or [])
    for words in end.job["left"]:
        assert words.partition("“")[0][:60] in end.page
