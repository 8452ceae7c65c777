"""Logs that are followed while everything between the engine and the viewer breaks: what is lost, what comes twice.

Three containers write; each is followed over several hosts that are the same engine behind a proxy of their own, which
cuts every one to three seconds (a clean end, a reset, now and then a silence that only a look at the log can tell).
Meanwhile the containers restart, the engine restarts, the product is killed and started again, and the viewers sleep.
At the end each viewer's lines are held against the engine's own log, line by line.
"""

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing

from benchmarks.figures import Figure
from tests.engines.commands import wait_until
from tests.engines.cutting import CuttingProxy, Kind
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.servers.log_client import Line, LogClient
from tests.servers.product import Product

CONTAINERS, HOSTS = 3, 4
SECONDS = 200.0
# 1 in 12 cuts is a silence: it takes the product a quarter of a minute to take it for one
KINDS: list[Kind] = ["end", "reset"] * 11 + ["silence"] * 2
# four lines and a pause: some 350 lines a second from each container, half of them on stderr
WRITE = (
    "while [ ! -e /stop ]; do i=$((i+1)); echo out $i of $HOSTNAME; echo err $i >&2; echo more $i; echo same >&2; "
    "usleep 5000; done; echo end; sleep 10000"
)
NAMES = [f"cut-{number}" for number in range(CONTAINERS)]


def run() -> list[Figure]:
    """The whole run, a little under five minutes."""
    with ExitStack() as stack:
        engine = stack.enter_context(DockerEngine("reef", tcp=True))
        make_images(engine)
        for name in NAMES:
            engine.docker("run", "-d", "--restart", "always", "--name", name, "busybox", "sh", "-c", WRITE)
        proxies = [stack.enter_context(CuttingProxy(engine.address, 2375)) for _ in range(HOSTS)]
        product = stack.enter_context(Product())
        clients = [stack.enter_context(client) for client in watch(engine, product, proxies)]
        restarts = break_everything(engine, product, proxies, clients)
        for name in NAMES:
            engine.docker("exec", name, "touch", "/stop")
        wait_until(lambda: all(is_over(client) for client in clients), "the last lines", 120)
        return compare(engine, clients, proxies, restarts)


def watch(engine: DockerEngine, product: Product, proxies: list[CuttingProxy]) -> list[LogClient]:
    """A viewer for each host, of all three containers."""
    for number, proxy in enumerate(proxies):
        product.manage("host", "add", f"host-{number}", proxy.url)
    count = CONTAINERS * len(proxies)
    wait_until(lambda: product.api("containers?search=cut-&state=running")["count"] == count, "the containers", 60)
    ids = engine.docker("inspect", "-f", "{{.Id}}", *NAMES).split()
    return [LogClient(product, [f"host-{number}/{id}" for id in ids]) for number in range(len(proxies))]


def break_everything(
    engine: DockerEngine, product: Product, proxies: list[CuttingProxy], clients: list[LogClient]
) -> Counter[str]:
    """Cuts for SECONDS, with restarts and sleeps in between; gives how many of those there were."""
    over = threading.Event()
    cutters = [threading.Thread(target=cut, args=(proxy, over)) for proxy in proxies]
    for cutter in cutters:
        cutter.start()
    done: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            time.sleep(10)
            what = ("container", "sleep", "container", "product", "sleep", "engine")[done.total() % 6]
            if what == "container":
                engine.docker("restart", "-t", "0", random.choice(NAMES))
            elif what == "sleep":
                sleeper = random.choice(clients)
                sleeper.sleep()
                time.sleep(5)
                sleeper.wake()
            elif what == "product":
                product.kill("up")
                product.start()
            else:
                engine.restart()
            done[what] += 1
    finally:
        over.set()
        for cutter in cutters:
            cutter.join()
    return done


def cut(proxy: CuttingProxy, over: threading.Event) -> None:
    """Cuts one followed log after the other."""
    while not over.wait(random.uniform(1, 3) / CONTAINERS):
        proxy.cut(random.choice(KINDS), one=True)


def is_over(client: LogClient) -> bool:
    """Whether each container's last line has come."""
    return all(lines and lines[-1][2] == "end" for lines in client.lines.values())


def compare(
    engine: DockerEngine, clients: list[LogClient], proxies: list[CuttingProxy], restarts: Counter[str]
) -> list[Figure]:
    """Every viewer's lines against the engine's own log."""
    lost = repeated = moved = shown = 0
    logs: dict[str, list[str]] = {}
    with closing(engine.api()) as api:
        for name in NAMES:
            found = api.containers.get(name)
            logs[str(found.id)] = found.logs(timestamps=True).decode().splitlines()
    for client in clients:
        for target, lines in client.lines.items():
            ours, theirs = [plain(line) for line in lines], logs[target.partition("/")[2]]
            missing, extra = Counter(theirs) - Counter(ours), Counter(ours) - Counter(theirs)
            lost, repeated = lost + missing.total(), repeated + extra.total()
            moved += ours != theirs and not missing and not extra
            shown += len(lines)
    notes = sum((client.notes for client in clients), Counter[str]())
    cuts = sum((Counter(proxy.cuts) for proxy in proxies), Counter[str]())
    return [
        Figure("lines lost", lost, "", 0, how="count"),
        Figure("lines repeated", repeated, "", 0, how="count"),
        Figure("logs in another order", moved, "", 0, how="count"),
        Figure("gaps said (nothing was rotated away)", notes["gap"], "", 0, how="count"),
        Figure("lines skipped for a slow viewer", notes["skipped"], "", 0, how="count"),
        Figure("lines written", sum(map(len, logs.values())), "", how="count"),
        Figure("lines shown", shown, "", how="count"),
        *(Figure(f"cuts: {kind}", cuts[kind], "", how="count") for kind in cuts),
        Figure("cuts", cuts.total(), "", how="count"),
        *(Figure(f"restarts and sleeps: {what}", restarts[what], "", how="count") for what in sorted(restarts)),
        Figure("sockets that viewers opened", sum(client.opened for client in clients), "", how="count"),
    ]


def plain(line: Line) -> str:
    """A line as `docker logs -t` prints it."""
    return f"{line[1]} {line[2]}"
