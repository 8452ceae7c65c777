"""The real swarm in the product, once for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.engines.swarm import RealSwarm
from tests.servers.product import Product


@pytest.fixture(scope="module")
def in_the_product(product: Product, swarm: RealSwarm) -> Iterator[None]:
    """Its engines are hosts for one file of tests: what comes after it counts on `local` being the only one."""
    swarm.add_to(product)
    yield
    for name in swarm.engines:
        product.api(f"hosts/{name}", "DELETE")


@pytest.fixture
def known(product: Product, swarm: RealSwarm, in_the_product: None) -> Iterator[str]:
    """The swarm's name in the product, whose hosts its three engines are."""
    yield swarm.add_to(product)
    swarm.heal()
