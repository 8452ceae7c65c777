"""One run of the tests: a number, a folder, a network, the processes it started, and a watchdog that outlives it."""

import atexit
import fcntl
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.engines import clean, network
from tests.engines.commands import as_user

PROJECT = Path(__file__).resolve().parents[2]
SLOTS = 100
# A client of the machine's own engine, or a proxy, must not get between the tests and their engines.
NOT_INHERITED = {"DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT", "CONTAINER_HOST"}

_current: "Run | None" = None


def current() -> "Run":
    """This process' run, made when it is first asked for."""
    global _current
    if _current is None or _current.closed:
        _current = Run()
    return _current


def what_ran() -> list[str]:
    """Engines, servers and browsers that this process has started, with their versions."""
    return _current.notes if _current else []


def close_current() -> None:
    """Cleans up this process' run, if there is one."""
    if _current is not None:
        _current.close()


class Run:
    """Everything that tests start belongs to a run.

    While the run lives it holds a lock on its number; the watchdog holds the same lock and reads from a pipe. When this
    process ends without `close` (SIGKILL too), the pipe ends and the watchdog cleans up. Should both be killed, the
    lock is free and the next run cleans up.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.closed = False
        self.notes: list[str] = []  # what ran, for the report
        self._addresses = 10
        self._lock = claim_slot()
        self.slot = int(self._lock.name.rpartition("-")[2].partition(".")[0])
        self.folder = clean.folder(self.slot)
        self.folder.mkdir(mode=0o755)
        (self.folder / "pids").mkdir()
        self._watchdog = self._start_watchdog()
        atexit.register(self.close)

    def _start_watchdog(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.engines.watchdog", str(self.slot), str(self._lock.fileno())],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests
            pass_fds=[self._lock.fileno()],
        )

    def note(self, what: str) -> None:
        """Remembers that an engine, server or browser ran, with its version: the report says it."""
        if what not in self.notes:
            self.notes.append(what)

    def next_address(self) -> tuple[str, str]:
        """An address on the run's bridge that nobody has, and a name for its link."""
        self._addresses += 1
        return f"{network.ADDRESSES}.{self.slot}.{self._addresses}", f"dt{self.slot}v{self._addresses}"

    def environment(self, **more: str) -> dict[str, str]:
        """This process' environment without what points to other engines, with the run's mark and `more`."""
        kept = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        return kept | {clean.MARK: str(self.slot)} | more

    def spawn(
        self,
        *args: str,
        log: Path,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Starts a process of the run; its output is added to `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                args,
                env=self.environment() if env is None else env | {clean.MARK: str(self.slot)},
                cwd=cwd or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user(user),
            )
        (self.folder / "pids" / str(process.pid)).write_text(clean.start_time(process.pid))
        return process

    def close(self) -> None:
        """Ends and removes everything. Called at exit as well; a forked child that calls it does nothing."""
        if self.closed or os.getpid() != self.owner:
            return
        self.closed = True
        atexit.unregister(self.close)
        clean.clean(self.slot)
        with suppress(BrokenPipeError):
            self._watchdog.communicate(b"clean", timeout=30)
        release(self._lock)


def claim_slot() -> IO[Any]:
    """The lock of a number that nobody uses; runs that were killed are cleaned on the way."""
    for slot in sorted(clean.leftover_slots()):
        if lock := try_lock(slot):
            clean.clean(slot)
            release(lock)
    for slot in range(SLOTS):
        if lock := try_lock(slot):
            if not network.is_taken(slot):
                return lock
            release(lock)
    raise RuntimeError(f"All {SLOTS} numbers for runs of the tests are in use. Are other runs of the tests going on?")


def try_lock(slot: int) -> IO[Any] | None:
    """The locked file of a number, or None when another run (or its watchdog) holds it."""
    path = clean.lock_file(slot)
    while True:
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                return lock
        lock.close()  # its holder removed the file between our open and our lock


def release(lock: IO[Any]) -> None:
    Path(lock.name).unlink(missing_ok=True)
    lock.close()
