"""`python -m tests.full_mode`: the suite's core once more on PostgreSQL and Redis, with the parts as processes of
their own."""

import os
import subprocess
import sys

from tests.engines.run import close_current
from tests.servers.postgres import PostgresServer
from tests.servers.redis_server import RedisServer


def main() -> int:
    """Runs pytest with both servers' addresses; returns its exit status."""
    try:
        with PostgresServer() as postgres, RedisServer() as redis:
            print("The core of the suite again, on PostgreSQL and Redis:", flush=True)
            environment = {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
            command = [sys.executable, "-m", "pytest", "-m", "core", *sys.argv[1:]]
            return subprocess.run(command, env=environment).returncode
    finally:
        close_current()


if __name__ == "__main__":
    sys.exit(main())
