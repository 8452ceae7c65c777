"""A PostgreSQL of the tests' own: a cluster in the run's folder, under a user without rights."""

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.engines.commands import CommandFailed, run_command, tail, wait_until
from tests.engines.run import Run, current
from tests.servers.ports import free_port

USER = "dermaga"
# A crash of the machine loses a test's database, and that is all right; waiting for the disk is not. A commit stays
# synchronous: it must outlive a kill of the server.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in the cluster's folder, not in /dev/shm, where a killed one leaves it
}


class PostgresServer:
    """`with PostgresServer() as server`: `server.url` is the address of an empty database."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run or current()
        self.port = free_port()
        self.folder = self.run.folder / f"postgres-{self.port}"
        self._user = unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    @property
    def url(self) -> str:
        return self.url_of(USER)

    def url_of(self, database: str) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> "PostgresServer":
        """Makes the cluster on the first start, waits until it answers; raises TimedOut with its log."""
        if not self.folder.exists():
            self._make_cluster()
        settings = SETTINGS | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
        }
        self._process = self.run.spawn(
            str(binaries() / "postgres"),
            *("-D", str(self.folder / "data")),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            log=self.run.folder / "postgres.log",
            cwd=self.folder,
            user=self._user,
        )
        wait_until(self._answers, "PostgreSQL to answer", 60, explain=lambda: tail(self.run.folder / "postgres.log"))
        if not self._databases:
            self.create_database(USER)
            self.run.note(f"PostgreSQL {self.psql('SHOW server_version').strip()}")
        return self

    def _make_cluster(self) -> None:
        self.folder.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self.folder, self._user)
        run_command(
            str(binaries() / "initdb"),
            *("-D", str(self.folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"),
            "--no-sync",
            cwd=str(self.folder),
            env=self.run.environment(),
            user=self._user,
        )

    def create_database(self, name: str) -> str:
        """Makes an empty database; gives its address."""
        self.psql(f'CREATE DATABASE "{name}"', database="postgres")
        self._databases += 1
        return self.url_of(name)

    def psql(self, statement: str, database: str = USER) -> str:
        """Runs a statement; gives what it answers, without headings."""
        return run_command(str(binaries() / "psql"), "-XAtq", "-c", statement, self.url_of(database))

    def _answers(self) -> bool:
        with suppress(CommandFailed):
            run_command(str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port))
            return True
        return False

    def stop(self) -> None:
        """Stops the server, its data stay until `__exit__` or the end of the run; `start` brings it back."""
        self._end(signal.SIGINT)  # "fast": connections are cut, not waited for

    def kill(self) -> None:
        """As a power cut: SIGQUIT, the server's own word for leaving at once."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "PostgresServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def binaries() -> Path:
    """The newest PostgreSQL of Debian's; what is in PATH may be a wrapper for another purpose."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise FileNotFoundError("No PostgreSQL in /usr/lib/postgresql: run python -m tests.engines.install")
    return found[-1].parent


def unprivileged_user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {person.pw_name for person in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
