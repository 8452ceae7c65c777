"""Random operations while the connection to the engine is cut again and again: the tables end in the truth."""

from tests.engines.docker_engine import DockerEngine
from tests.hosts.inventory.cut_tables import seconds_to_truth
from tests.servers.product import Product

OPERATIONS, SEED = 80, 4711


def test_tables_equal_the_command_line_after_operations_and_cuts(product: Product, docker_engine: DockerEngine) -> None:
    took, cuts = seconds_to_truth(product, docker_engine, OPERATIONS, SEED)
    assert cuts >= 5
    assert took < 5
