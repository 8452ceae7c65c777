"""A job goes on whatever happens around it: no browser, another web process, Redis away for twenty seconds."""

import time

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.servers.redis_server import RedisServer
from tests.waiting import until

STUBBORN = ("busybox", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
AWAY_SECONDS = 20
ANSWERED_WITHIN = 2.5  # seconds, with nobody to do it


def test_jobs_outlive_a_web_process_and_twenty_seconds_without_redis(docker_engine: DockerEngine) -> None:
    for name in ("stubborn-1", "stubborn-2"):
        docker_engine.docker("run", "-d", "--name", name, *STUBBORN)
    with Product(docker_engine.url, mode="full") as product:
        until(lambda: product.api("containers?search=stubborn&state=running")["count"] == 2, "both show")
        running = bulk_stop(product, "local/stubborn-1", AWAY_SECONDS + 5)
        until(lambda: product.api(f"jobs/{running}")["state"] == "running", "the job runs")
        (redis,) = [server for server in product._servers if isinstance(server, RedisServer)]
        redis.stop()
        went = time.monotonic()
        product.kill("web")
        product.start_process("web")
        # asked for while there is no broker: the row waits
        until(lambda: asked(product), "the page's server answers without Redis")
        waiting = product.api("images/local/prune", "POST")["job"]
        assert product.api(f"jobs/{waiting}")["state"] == "queued"
        # a short act needs no broker: its lane looks by itself
        short = product.api("containers/local/stubborn-2/stop", "POST", timeout=1)["job"]
        until(lambda: product.api(f"jobs/{short}")["state"] == "done", "the short act ends without Redis")
        until(lambda: time.monotonic() - went > AWAY_SECONDS, "Redis was away long enough", AWAY_SECONDS + 5)
        assert product.api(f"jobs/{running}")["state"] == "running"
        redis.start()
        for job in (running, waiting):
            until(lambda job=job: product.api(f"jobs/{job}")["state"] == "done", "the job ends well", 60)  # type: ignore[misc]
        product.kill("worker")
        began = time.monotonic()
        started = product.api("containers/local/stubborn-2/start", "POST")
        assert time.monotonic() - began < ANSWERED_WITHIN
        assert product.api(f"jobs/{started['job']}")["state"] == "queued"
        product.start_process("worker")
        until(lambda: product.api(f"jobs/{started['job']}")["state"] == "done", "it runs when the worker is back")
    for name in ("stubborn-1", "stubborn-2"):
        docker_engine.docker("rm", "-f", name)


def bulk_stop(product: Product, target: str, seconds: int) -> int:
    """As the list of containers does: the number of the job that it leads to."""
    answer = product.post("/containers/bulk/stop/", target=target, timeout=seconds)
    return int(answer.url.rstrip("/").rpartition("/")[2])


def asked(product: Product) -> bool:
    try:
        return bool(product.api("jobs")["count"])
    except OSError:
        return False
