"""What watching costs while nobody looks: 50 running containers, CPU of the engine and of all our processes, and how soon
both are at rest again after the last viewer has left."""

import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.clients import open_websocket
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, family
from tests.engines import newer
from tests.engines.commands import wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.servers.product import Product

CONTAINERS = 50
SETTLE = 40.0  # a start lists and inspects all
IDLE = 90.0  # three rounds of samples
VIEWERS, LOOKING = 5, 15.0
REST = 10.0  # seconds after the last viewer in which all must have come to rest
AFTER = 60.0


def run() -> list[Figure]:
    """On the machine's Docker and on the next release's, embedded; and on the machine's as separate processes."""
    figures = []
    for release, full in (("", False), ("trixie", False), ("", True)):
        with DockerEngine("quay", bin_dir=newer.fetch(release) if release else None) as engine:
            make_images(engine)
            figures += on(engine, full)
    return figures


def on(engine: DockerEngine, full: bool) -> list[Figure]:
    """Before there is a product, with one at rest, while five look at all, and after they left."""
    for number in range(CONTAINERS):
        engine.docker("run", "-d", "--name", f"idle-{number:02}", "busybox", "sleep", "100000")
    time.sleep(SETTLE / 2)
    name = f"Docker {engine.version}, {CONTAINERS} idle containers, {'separate processes' if full else 'embedded'}"
    (without,) = shares(IDLE, engine_pids(engine))
    with Product(engine.url, mode="full" if full else "embedded") as product:
        wait_until(lambda: product.api("containers?state=running")["count"] == CONTAINERS, "the containers", 60)
        time.sleep(SETTLE)
        idle, ours = shares(IDLE, engine_pids(engine), product_pids(product))
        with ExitStack() as viewers:
            for _ in range(VIEWERS):
                viewers.enter_context(open_websocket(product, "/ws/stats?host=local"))
            time.sleep(LOOKING / 3)
            looked_at, shown = shares(LOOKING, engine_pids(engine), product_pids(product))
        time.sleep(REST)
        after, ours_after = shares(AFTER, engine_pids(engine), product_pids(product))
    return [
        Figure(f"{name}: dockerd and containerd, added", round(idle - without, 2), "%", 1, how="once"),
        Figure(f"{name}: all our processes", round(ours, 2), "%", 2, how="once"),
        Figure(f"{name}: dockerd and containerd without us", round(without, 2), "%", how="once"),
        Figure(f"{name}: dockerd and containerd, {VIEWERS} viewers of all", round(looked_at, 2), "%", how="once"),
        Figure(f"{name}: all our processes, {VIEWERS} viewers of all", round(shown, 2), "%", how="once"),
        Figure(f"{name}: dockerd and containerd, {REST:g} s after, added", round(after - without, 2), "%", 1, how="once"),
        Figure(f"{name}: all our processes, {REST:g} s after", round(ours_after, 2), "%", 2, how="once"),
    ]  # fmt: skip


def engine_pids(engine: DockerEngine) -> set[int]:
    """dockerd and containerd; not the containers' own shims and processes."""
    return {pid for pid in family(engine.pid) if command(pid) in {"dockerd", "containerd"}}


def product_pids(product: Product) -> set[int]:
    """Every process of ours."""
    return set().union(*(family(process.pid) for process in product.processes.values()))


def command(pid: int) -> str:
    """The name of a process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def shares(seconds: float, *groups: set[int]) -> list[float]:
    """CPU of each group of processes over `seconds`, in percent of one core."""
    began, before = time.monotonic(), [cpu_seconds(pids) for pids in groups]
    time.sleep(seconds)
    took = time.monotonic() - began
    return [100 * (cpu_seconds(pids) - was) / took for pids, was in zip(groups, before, strict=True)]
