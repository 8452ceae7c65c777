"""Containers for tests of pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

SLEEP = ("busybox", "sleep", "1000")


@contextmanager
def running(engine: DockerEngine, product: Product, name: str, *run: str) -> Iterator[str]:
    """A container `name`, from `docker run -d --name NAME RUN`, that the tables know; removed at the end."""
    if name in engine.docker("ps", "-a", "--format", "{{.Names}}").split():
        engine.docker("rm", "-f", name)  # a test that failed has left it
    engine.docker("run", "-d", "--name", name, *(run or SLEEP))
    try:
        until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, f"{name} shows")
        yield f"{product.url}/containers/local/{name}/"
    finally:
        engine.docker("rm", "-f", name)
