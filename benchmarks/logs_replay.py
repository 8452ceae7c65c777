"""A million lines of a log: from the engine through our socket to a websocket client, against `docker logs`."""

import threading
from contextlib import ExitStack

from websockets.sync.client import ClientConnection

from benchmarks.clients import docker_command
from benchmarks.figures import Figure, median, ratio
from benchmarks.processes import Watch, family
from tests.engines.commands import wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.servers.product import Product

LINES = 1_000_000
TEXT = "x" * 119  # with its newline 120 bytes
ROUNDS = 5
CLIENTS = 20
PATH = "/ws/logs?target=local/long&tail=all&follow=0"


def run() -> list[Figure]:
    """Replay in turn with the command line, then twenty at once of whom one never reads."""
    with DockerEngine("quay", tcp=False) as engine:
        make_images(engine)
        engine.docker("run", "--name", "long", "busybox", "sh", "-c", f"yes {TEXT} | head -n {LINES}", timeout=600)
        with Product(engine.url) as product:
            wait_until(lambda: product.api("containers?search=long")["count"] == 1, "the container to show")
            return replay(engine, product) + together(product)


def replay(engine: DockerEngine, product: Product) -> list[Figure]:
    """One client."""
    ours, theirs, growth = [], [], []
    pids = family(product.processes["up"].pid)
    read(product)  # what is loaded at the first use is not part of the memory that a replay needs
    for _ in range(ROUNDS):
        theirs.append(docker_command(engine, "logs", "long"))
        with Watch(pids) as watch:
            lines = read(product)
        if lines != LINES:
            raise AssertionError(f"{lines} of {LINES} lines came")
        ours.append(watch)
        growth.append(round(watch.growth, 1))
    wall = ratio("replay, wall", [w.wall for w in ours], [s.wall for s in theirs], 0.6, "docker logs")
    cpu = ratio("replay, CPU of our server", [w.cpu for w in ours], [s.cpu for s in theirs], 0.4, "docker logs")
    seconds = Figure("docker logs, wall", round(median(s.wall for s in theirs), 2), "s")
    return [wall, cpu, seconds, Figure("replay, memory growth", max(growth), "MiB", 64, how="most", rounds=growth)]


def read(product: Product) -> int:
    """Reads the whole log and counts its lines."""
    with product.socket(PATH) as socket:
        return count(messages_of(socket))


def messages_of(socket: ClientConnection) -> list[bytes]:
    """Every message up to the end, kept to be counted when the clock has stopped."""
    found = []
    while True:
        message = socket.recv(timeout=60, decode=False)
        if message.startswith(b'{"t":"end"'):
            return found
        found.append(message)


def count(messages: list[bytes]) -> int:
    """Lines in the messages."""
    return sum(m.count(b'Z","') for m in messages if m.startswith(b'{"t":"lines"'))


def together(product: Product) -> list[Figure]:
    """Twenty clients, one of which never reads."""
    counts: list[int] = []
    with ExitStack() as stack, Watch(family(product.processes["up"].pid)) as watch:
        stack.enter_context(product.socket(PATH))  # never reads
        threads = [threading.Thread(target=lambda: counts.append(read(product))) for _ in range(CLIENTS - 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if counts != [LINES] * (CLIENTS - 1):
        raise AssertionError(f"lines that came: {counts}")
    return [Figure(f"{CLIENTS} replays at once, memory growth", round(watch.growth, 1), "MiB", 200, how="most")]
