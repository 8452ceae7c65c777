"""The product itself, started as its users start it: processes of its own with a data folder of its own."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.engines.commands import run_command, tail, wait_until
from tests.engines.run import PROJECT, Run, current
from tests.servers.examples import differences
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.redis_server import RedisServer

PASSWORD = "quay-side-4711"
# The machine's own settings must not leak into the product under test.
SETTINGS = [
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DERMAGA_ENCRYPTION_KEY",
    "DJANGO_SETTINGS_MODULE",
    "HOST",
    "PORT",
]


class Product:
    """`with Product(engine.url) as product`: embedded, one process. Without an engine it starts with no host.

    `mode="full"`: web, worker, beat and watcher as separate processes on PostgreSQL and Redis, its own ones unless
    `database_url` and `redis_url` are given. `settings` go into the environment.
    """

    def __init__(
        self,
        docker_host: str = "",
        *,
        mode: Literal["embedded", "full"] = "embedded",
        database_url: str = "",
        redis_url: str = "",
        settings: dict[str, str] | None = None,
        run: Run | None = None,
    ) -> None:
        self.run = run or current()
        self.full = mode == "full" or bool(redis_url)
        self.folder = Path(tempfile.mkdtemp(prefix="product-", dir=self.run.folder))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._servers: list[PostgresServer | RedisServer] = []
        self._databases = (database_url, redis_url)
        self.environment = {key: value for key, value in self.run.environment().items() if key not in SETTINGS} | {
            "DERMAGA_DATA": str(self.folder / "data"),
            "DERMAGA_ADMIN_PASSWORD": PASSWORD,
            # "none" is no address: nothing is registered, not even the machine's own engine
            "DOCKER_HOST": docker_host or "none",
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }

    # ------------------------------------------------------------ its life
    def start(self) -> "Product":
        """Starts its processes and waits for /readyz; raises TimedOut with what they printed."""
        (self.folder / "data").mkdir(mode=0o700, exist_ok=True)
        self._collect_static_files()
        if self.full:
            self._use_servers()
            self.manage("prepare")
        for name, command in self._commands().items():
            self.start_process(name, command)
        wait_until(self._ready, "the product's /readyz", 90, explain=lambda: tail(self.folder / "output", 60))
        return self

    def _commands(self) -> dict[str, list[str]]:
        python = sys.executable
        if not self.full:
            return {"up": [python, "manage.py", "up", "--host", "127.0.0.1", "--port", str(self.port)]}
        return {
            "web": [python, "manage.py", "web", "--host", "127.0.0.1", "--port", str(self.port)],
            "worker": [python, "-m", "celery", "-A", "dashboard", "worker"],
            "beat": [python, "-m", "celery", "-A", "dashboard", "beat", "--pidfile", ""],
            "watch": [python, "manage.py", "watch"],
        }

    def start_process(self, name: str, command: list[str] | None = None) -> "subprocess.Popen[bytes]":
        """Starts one of its processes (again): "up", or "web", "worker", "beat" and "watch"."""
        process = self.run.spawn(
            *(command or self._commands()[name]), log=self.folder / "output", env=self.environment, cwd=PROJECT
        )
        self.processes[name] = process
        return process

    def _use_servers(self) -> None:
        database, redis = self._databases
        if not self._servers and not (database and redis):
            self._servers = [PostgresServer(self.run).start(), RedisServer(self.run).start()]
            database, redis = (database or self._servers[0].url), (redis or self._servers[1].url)
        if database:
            self.environment |= {"DATABASE_URL": database, "REDIS_URL": redis}

    def _collect_static_files(self) -> None:
        """Pages need the manifest of static files; `make` builds it, and a bare checkout lacks it."""
        if not (PROJECT / "build/collected/staticfiles.json").exists():
            self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def _ready(self) -> bool:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode} while it started. {self.output[-4000:]}")
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self, seconds: float = 8) -> float:
        """Ctrl-C for each process; gives the seconds until the last one had ended. Kills what does not end."""
        started = monotonic()
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.wait(max(0.1, seconds - (monotonic() - started)))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = {}
        return monotonic() - started

    def kill(self, name: str) -> None:
        """SIGKILL to one of its processes; `start_process` brings it back."""
        self.processes[name].kill()
        self.processes[name].wait()

    def __enter__(self) -> "Product":
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()
        for server in self._servers:
            server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------ using it
    @property
    def output(self) -> str:
        """What its processes printed."""
        file = self.folder / "output"
        return file.read_text(errors="replace") if file.exists() else ""

    def manage(self, *args: str, stdin: bytes = b"") -> str:
        """Runs a manage.py command with its settings; gives its output, raises CommandFailed with what it said."""
        command = [sys.executable, "manage.py", *args]
        return run_command(*command, stdin=stdin, env=self.environment, cwd=str(PROJECT)).strip()

    @cached_property
    def http(self) -> requests.Session:
        """A session of the admin, logged in."""
        return self.session()

    def session(self, name: str = "admin", password: str = PASSWORD) -> requests.Session:
        """A browser's session, logged in through the page; raises AssertionError with the page otherwise."""
        session = requests.Session()
        session.trust_env = False
        login = f"{self.url}/account/login/"
        form = session.get(login, timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token, f"No form at {login}: {form.status_code} {form.text[:2000]}"
        fields = {"login": name, "password": password, "csrfmiddlewaretoken": token[1]}
        answer = session.post(login, fields, headers={"Referer": login}, timeout=10)
        assert answer.ok and "/account/login" not in answer.url, f"{name} was not let in: {answer.text[:2000]}"
        return session

    def post(self, path: str, session: requests.Session | None = None, **fields: Any) -> requests.Response:
        """Sends a form as a page does, with the CSRF token; as the admin unless a session is given."""
        session = session or self.http
        token = session.cookies.get("csrftoken") or ""
        headers = {"Referer": f"{self.url}/", "X-CSRFToken": token}
        return session.post(f"{self.url}{path}", fields, headers=headers, timeout=30)

    def websocket(self, path: str, session: requests.Session | None = None) -> ClientConnection:
        """A socket with a session's cookie, as a page opens it; the admin's unless given. Use it with `with`."""
        cookies = (session or self.http).cookies.get_dict()
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items())}
        return connect(
            f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, origin=Origin(self.url), proxy=None
        )

    @cached_property
    def token(self) -> str:
        """An API token of the admin."""
        return self.manage("token", "create", "admin", "--name", "tests")

    def api(self, path: str, method: str = "GET", **body: Any) -> Any:
        """Calls the API with the admin's token; gives the decoded answer, raises AssertionError for an error."""
        answer = self.answer(path, method, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        said = answer.json() if answer.content else None
        assert not (wrong := differences(method, path, answer.status_code, said)), f"The documented example: {wrong}"
        return said

    def answer(self, path: str, method: str, body: dict[str, Any]) -> requests.Response:
        """What the API answers to the admin's token, an error too."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self.url}/api/v1/{path}", headers=headers, json=body or None, timeout=30)

    def socket(self, path: str, **options: Any) -> ClientConnection:
        """A socket with the admin's token; `options` are those of websockets' client. Use it with `with`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"ws://127.0.0.1:{self.port}{path}"
        return connect(url, additional_headers=headers, proxy=None, **options)
