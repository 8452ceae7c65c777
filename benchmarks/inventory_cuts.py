"""A thousand random operations by the docker command line while the connection to the engine is cut again and again."""

from benchmarks.figures import Figure
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.hosts.inventory.cut_tables import seconds_to_truth
from tests.servers.product import Product

OPERATIONS, SEED = 1000, 1


def run() -> list[Figure]:
    """Until the tables equal `docker ps -a`, `images`, `network ls` and `volume ls`."""
    with DockerEngine("quay", tcp=True) as engine:
        make_images(engine)
        with Product() as product:
            took, cuts = seconds_to_truth(product, engine, OPERATIONS, SEED)
    name = f"{OPERATIONS} operations, {cuts} cuts: tables equal the command line after the last reconnect"
    return [Figure(name, round(took, 2), "s", 5, how="once")]
