"""Containers for the tests of hosts and their streams."""

from collections.abc import Iterator

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.engines.ways import AnyEngine
from tests.servers.product import Product


@pytest.fixture
def engine(docker_engine: DockerEngine) -> AnyEngine:
    """Where `run` runs; a file that is about several engines has its own."""
    return docker_engine


@pytest.fixture
def run(engine: AnyEngine) -> Iterator[Runner]:
    """Starts a container with a script; gives its name."""
    runner = Runner(engine)
    yield runner
    runner.remove()


@pytest.fixture
def no_upload_left(product: Product) -> Iterator[None]:
    """What is sent in this test is gone at its end; what other tests sent for jobs that never ran may be there."""
    place = product.folder / "data" / "uploads"
    before = set(place.iterdir())
    yield
    assert set(place.iterdir()) <= before
