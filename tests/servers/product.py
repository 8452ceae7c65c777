"""The product itself, started as its users start it: a process of its own with a data folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from tests.engines.docker_engine import wait_for

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "quay-side-4711"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """`with Product(docker_host=...)`: embedded; with `database_url` and `redis_url` as separate processes."""

    def __init__(self, docker_host: str = "", *, database_url: str = "", redis_url: str = "") -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="dermaga-product-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.full = bool(redis_url)
        clean = {k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL"}}
        self.environment = clean | {
            "DERMAGA_DATA": self.folder.name,
            "DERMAGA_ADMIN_PASSWORD": PASSWORD,
            "DOCKER_HOST": docker_host or "unix:///nonexistent/docker.sock",
            "PYTHONUNBUFFERED": "1",
        }
        if self.full:
            self.environment |= {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Product":
        if self.full:
            self.manage("prepare")
            self.processes = [self._run(*command) for command in self._commands()]
        else:
            self.processes = [self._run(sys.executable, "manage.py", "up", "--port", str(self.port))]
        wait_for(self._ready, 60, f"the product is ready:\n{self.output()}")
        return self

    def _commands(self) -> list[list[str]]:
        python = [sys.executable, "-m"]
        return [
            [*python, "uvicorn", "dashboard.asgi:application", "--port", str(self.port)],
            [*python, "celery", "-A", "dashboard", "worker"],
            [*python, "celery", "-A", "dashboard", "beat"],
            [sys.executable, "manage.py", "watch"],
        ]

    def _run(self, *command: str) -> "subprocess.Popen[bytes]":
        with open(f"{self.folder.name}/output", "ab") as out:
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=out, stderr=out)

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def output(self) -> str:
        """What its processes printed."""
        file = Path(f"{self.folder.name}/output")
        return file.read_text(errors="replace") if file.exists() else ""

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.folder.cleanup()

    def stop(self) -> None:
        """Ctrl-C for each process."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def manage(self, *arguments: str) -> str:
        """Runs a manage.py command with its settings."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def session(self, name: str = "admin", password: str = PASSWORD) -> requests.Session:
        """A browser's session, logged in through the page."""
        session = requests.Session()
        form = session.get(f"{self.url}/account/login/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token, form.text
        answer = session.post(
            f"{self.url}/account/login/",
            {"login": name, "password": password, "csrfmiddlewaretoken": token[1]},
            headers={"Referer": f"{self.url}/account/login/"},
            timeout=10,
        )
        assert answer.status_code == 200 and "/account/login" not in answer.url, answer.text[:2000]
        return session

    def api(self, path: str, method: str = "GET", **body: Any) -> Any:
        """Calls the API with a token of the admin; the decoded answer."""
        if not hasattr(self, "_token"):
            self._token = self.manage("token", "create", "admin", "--name", "tests")
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(method, f"{self.url}/api/v1/{path}", headers=headers, json=body or None, timeout=30)
        assert answer.status_code < 300, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def socket(self, path: str) -> ClientConnection:
        """A websocket with the admin's token."""
        self.api("hosts")
        headers = {"Authorization": f"Bearer {self._token}"}
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, proxy=None)
