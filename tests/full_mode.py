"""`python -m tests.full_mode [-n WORKERS]`: the suite's core once more on PostgreSQL and Redis, with the parts as
processes of their own."""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack

from tests.engines.run import close_current
from tests.servers.postgres import PostgresServer
from tests.servers.redis_server import RedisServer


def address_names(worker: int) -> tuple[str, str]:
    """Where in the environment the addresses of a worker's database and Redis are."""
    return f"TESTS_DATABASE_URL_{worker}", f"TESTS_REDIS_URL_{worker}"


def main() -> int:
    """Runs pytest with both servers' addresses, a pair for each worker; returns its exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=0)
    options, further = parser.parse_known_args()
    environment = dict(os.environ)
    try:
        with ExitStack() as servers:
            for worker in range(max(1, options.n)):
                database, redis = address_names(worker)
                environment[database] = servers.enter_context(PostgresServer()).url
                environment[redis] = servers.enter_context(RedisServer()).url
            print("The core of the suite again, on PostgreSQL and Redis:", flush=True)
            workers = ["-n", str(options.n), "--dist", "loadfile", "--no-loadscope-reorder"]
            command = [sys.executable, "-m", "pytest", "-p", "tests.full_mode_servers", "-m", "core"]
            return subprocess.run([*command, *workers, *further], env=environment).returncode
    finally:
        close_current()


if __name__ == "__main__":
    sys.exit(main())
