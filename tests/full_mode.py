"""`python -m tests.full_mode`: the suite's core once more on PostgreSQL and Redis, with the parts as processes of
their own. Starts both servers on free ports of the loopback in a private folder, and ends them."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.product import free_port
from tests.waiting import until


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of its own; gives its DATABASE_URL."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    folder, port = tempfile.mkdtemp(prefix="dermaga-postgres-"), free_port()
    # initdb and the server refuse to run as root
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)

    def run(*command: str, check: bool = True) -> bool:
        done = subprocess.run(
            command, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd=folder, capture_output=True, text=True
        )
        if check and done.returncode:
            sys.exit(f"{command[0]} failed: {done.stderr}{done.stdout}")
        return done.returncode == 0

    try:
        run(f"{binaries}/initdb", "-D", f"{folder}/data", "-U", "dermaga", "-A", "trust", "-N", "-E", "UTF8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run(f"{binaries}/pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
        run(f"{binaries}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "dermaga", "dermaga")
        yield f"postgres://dermaga@127.0.0.1:{port}/dermaga"
    finally:
        run(f"{binaries}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis server of its own; gives its REDIS_URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory(prefix="dermaga-redis-") as folder:
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            ping = ["redis-cli", "-p", str(port), "ping"]
            until(lambda: b"PONG" in subprocess.run(ping, capture_output=True).stdout, "Redis answers", 20)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


def main() -> int:
    with postgres() as database_url, redis_server() as redis_url:
        print("The core of the suite again, on PostgreSQL and Redis:", flush=True)
        environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        command = [sys.executable, "-m", "pytest", "-m", "core", *sys.argv[1:]]
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
