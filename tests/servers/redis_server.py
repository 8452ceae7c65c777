"""A Redis of the tests' own, on the loopback, without anything on disk."""

import shutil
import subprocess

import redis

from tests.engines.commands import tail, wait_until
from tests.engines.run import Run, current
from tests.servers.ports import free_port


class RedisServer:
    """`with RedisServer() as server`: `server.url` is its first database."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run or current()
        self.port = free_port()
        self.folder = self.run.folder / f"redis-{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> "RedisServer":
        """Starts it and waits until it answers; raises TimedOut with its log."""
        self.folder.mkdir(exist_ok=True)
        log = self.run.folder / "redis.log"
        self._process = self.run.spawn(
            "redis-server",
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            log=log,
        )
        wait_until(self._answers, "Redis to answer", 30, explain=lambda: tail(log))
        return self

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                self.run.note(f"Redis {client.info('server')['redis_version']}")
                return True
            except redis.ConnectionError:
                return False

    def stop(self) -> None:
        """Stops it: what it held is gone. `start` brings it back on the same port."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
