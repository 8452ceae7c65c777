"""The real swarm in the product, once for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.engines.swarm import RealSwarm
from tests.servers.product import Product


@pytest.fixture
def known(product: Product, swarm: RealSwarm) -> Iterator[str]:
    """The swarm's name in the product, whose hosts its three engines are."""
    yield swarm.add_to(product)
    swarm.heal()
