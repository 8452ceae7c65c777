"""Lines as they are written: many containers to one viewer, one container to many, and a viewer who stops reading."""

import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.clients import Reading, docker_process, open_websocket
from benchmarks.figures import Figure, median, percentile, ratio
from benchmarks.processes import Watch, family
from benchmarks.writers import Writers, delays
from tests.engines.commands import wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.servers.product import Product

CONTAINERS, RATE = 50, 200
ONE_RATE, CLIENTS = 2000, 100
OTHERS = 20  # viewers beside the one who stops reading
SECONDS = 12.0
ROUNDS = 3


def run() -> list[Figure]:
    """All three."""
    with DockerEngine("quay") as engine:
        make_images(engine)
        with Product(engine.url) as product:
            with Writers(engine, CONTAINERS, RATE) as writers:
                shown(product, CONTAINERS)
                figures = many_containers(engine, product, writers)
            with Writers(engine, 1, ONE_RATE) as writers:
                shown(product, 1)
                figures += many_clients(engine, product)
                figures += stuck_client(product)
    return figures


def shown(product: Product, count: int) -> None:
    """Waits until the product knows the writers."""
    wait_until(lambda: product.api("containers?search=writer-&state=running")["count"] == count, "the writers", 60)


def many_containers(engine: DockerEngine, product: Product, writers: Writers) -> list[Figure]:
    """Fifty containers to one viewer, in turn with fifty `docker logs -f`."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(by_docker(engine, writers))
        ours.append(by_us(product, writers))
    p95 = [[percentile(found, 0.95) for found, _ in side] for side in (ours, theirs)]
    cpu = [[share for _, share in side] for side in (ours, theirs)]
    name, against = f"live, {CONTAINERS} x {RATE} lines/s", f"{CONTAINERS} x docker logs -f"
    return [
        ratio(f"{name}, p95 of delay", p95[0], p95[1], 0.5, against),
        ratio(f"{name}, CPU of our server", cpu[0], cpu[1], 0.25, against),
        Figure(f"{name}, p95 of delay", round(median(p95[0]), 1), "ms"),
        Figure(f"{name}, CPU of our server", round(median(cpu[0]), 1), "%"),
    ]


def by_docker(engine: DockerEngine, writers: Writers) -> tuple[list[float], float]:
    """Delays (ms) and CPU (% of a core) of one command line a container."""
    processes = {name: docker_process(engine, "logs", "-f", "--tail", "0", name) for name in writers.names}
    try:
        pipes = {name: process.stdout.fileno() for name, process in processes.items() if process.stdout}
        with Reading(pipes) as reading:
            return measure(reading, {process.pid for process in processes.values()}, CONTAINERS * RATE)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def by_us(product: Product, writers: Writers) -> tuple[list[float], float]:
    """The same of our server with one socket for all."""
    targets = "&".join(f"target=local/{name}" for name in writers.names)
    with open_websocket(product, f"/ws/logs?tail=0&{targets}") as socket, Reading({"all": socket.fileno()}) as reading:
        return measure(reading, family(product.processes["up"].pid), CONTAINERS * RATE)


def measure(reading: Reading, pids: set[int], rate: float) -> tuple[list[float], float]:
    """Delays and CPU over SECONDS, once the lines flow; raises AssertionError when too few of them come."""
    wait_until(lambda: all(reading.blocks.values()), "lines from everywhere", 60)
    time.sleep(2)
    reading.forget()
    with Watch(pids) as watch:
        time.sleep(SECONDS)
    found = [delay for blocks in reading.blocks.values() for delay in delays(blocks)]
    if len(found) < 0.8 * rate * SECONDS:
        raise AssertionError(f"{len(found)} lines came in {SECONDS} s where {rate * SECONDS:g} were written")
    return found, 100 * watch.cpu / watch.wall


def many_clients(engine: DockerEngine, product: Product) -> list[Figure]:
    """What a hundred viewers of one container cost its engine."""
    alone, crowd, streams = [], [], 0
    before = connections(engine, product)
    for _ in range(ROUNDS):
        alone.append(engine_cpu(engine, product, 1)[0])
        load, count = engine_cpu(engine, product, CLIENTS)
        crowd.append(load)
        streams = max(streams, count - before)
    name = f"{ONE_RATE} lines/s to {CLIENTS} clients"
    return [
        ratio(f"{name}, CPU of the engine", crowd, alone, 1.1, "one client"),
        Figure(f"{name}, upstream connections", streams, "", 1, how="most"),
    ]


def engine_cpu(engine: DockerEngine, product: Product, clients: int) -> tuple[float, int]:
    """CPU of the engine (% of a core) while so many watch, and how many connections it has."""
    with ExitStack() as stack:
        path = "/ws/logs?tail=0&target=local/writer-0"
        sockets = [stack.enter_context(open_websocket(product, path)) for _ in range(clients)]
        sources = {str(number): socket.fileno() for number, socket in enumerate(sockets)}
        reading = stack.enter_context(Reading(sources))
        wait_until(lambda: all(reading.blocks.values()), "lines for everybody", 60)
        time.sleep(2)
        count = connections(engine, product)
        with Watch(family(engine.pid)) as watch:
            for _ in range(int(SECONDS)):
                reading.forget()
                time.sleep(1)
        return 100 * watch.cpu / watch.wall, count


def connections(engine: DockerEngine, product: Product) -> int:
    """Connections that the engine's unix socket has now; the watcher's own come and go, so the least of a moment."""
    found = []
    for _ in range(20):
        # an accepted unix socket is listed in the network namespace of who connected
        lines = Path(f"/proc/{product.processes['up'].pid}/net/unix").read_text().splitlines()
        found.append(sum(line.endswith(engine.socket) and line.split()[5] == "03" for line in lines))
        time.sleep(0.1)
    return min(found)


def stuck_client(product: Product) -> list[Figure]:
    """What a viewer who stops reading costs the others."""
    with_it, without = [], []
    for _ in range(ROUNDS):
        without.append(delay_of_others(product, stuck=False))
        with_it.append(delay_of_others(product, stuck=True))
    return [ratio("a client that stops reading, p95 of the others", with_it, without, 1.05, "without it")]


def delay_of_others(product: Product, *, stuck: bool) -> float:
    """p95 (ms) of the delay that OTHERS viewers see."""
    with ExitStack() as stack:
        path = "/ws/logs?tail=0&target=local/writer-0"
        if stuck:
            stack.enter_context(open_websocket(product, path))
        sockets = [stack.enter_context(open_websocket(product, path)) for _ in range(OTHERS)]
        sources = {str(number): socket.fileno() for number, socket in enumerate(sockets)}
        reading = stack.enter_context(Reading(sources))
        found, _ = measure(reading, family(product.processes["up"].pid), OTHERS * ONE_RATE)
        return percentile(found, 0.95)
