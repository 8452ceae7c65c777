"""A registry on the run's bridge: pushes and pulls without the internet, with login or without, and as slow as wished."""

import shutil
import subprocess
from typing import Any

import requests

from tests.engines import network
from tests.engines.certificates import Authority
from tests.engines.commands import run_command, tail, wait_until
from tests.engines.images import Engine
from tests.engines.run import Run, current
from tests.engines.slow import SlowProxy
from tests.engines.token_server import TokenServer
from tests.servers.ports import free_port

USER, PASSWORD = "tester", "s3cret"
CONFIG = """
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "{address}"{tls}}}
"""
TLS = ", tls: {{certificate: {folder}/cert.pem, key: {folder}/key.pem}}"
LOGIN = """
auth:
  htpasswd: {{realm: tests, path: {folder}/htpasswd}}
"""
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Debian's docker-registry at `address` (host:port), which this machine and every engine of the run reach.

    With `login` it wants USER and PASSWORD; with `tokens` it sends who comes to a token server (`.tokens`), where they
    log in. Engines accept it without TLS, or (with `tls`) with a certificate of `authority`, which they do not know:
    they are started with --insecure-registry. To a `strange` one they hold what is usual: TLS, signed by who they know.
    """

    def __init__(
        self,
        *,
        login: bool = False,
        tls: bool = False,
        tokens: bool = False,
        strange: bool = False,
        run: Run | None = None,
    ) -> None:
        self.run = run or current()
        self.login = login
        self.authority = Authority("Registry") if tls else None
        self.tokens: TokenServer | None = None
        self._wants_tokens = tokens
        network.bridge_up(self.run.slot)
        self.host = network.stranger(self.run.slot) if strange else network.gateway(self.run.slot)
        self.port = free_port(self.host)
        self.address = f"{self.host}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.address}"
        self.folder = self.run.folder / f"registry-{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Registry":
        """Starts it and waits until it answers; raises TimedOut with its log."""
        self.folder.mkdir(exist_ok=True)
        config = CONFIG
        if self.login:
            config += LOGIN
            secret = run_command("htpasswd", "-Bbn", USER, PASSWORD)
            (self.folder / "htpasswd").write_text(secret)
        if self._wants_tokens:
            self.tokens = self.tokens or TokenServer(self.host, {USER: PASSWORD})
            config += self.tokens.config(self.folder).replace("{", "{{").replace("}", "}}")
        if self.authority:
            self.authority.server(self.host).write(self.folder)
        tls = TLS.format(folder=self.folder) if self.authority else ""
        file = self.folder / "config.yml"
        file.write_text(config.format(folder=self.folder, address=self.address, tls=tls))
        log = self.folder / "log"
        self._process = self.run.spawn("docker-registry", "serve", str(file), log=log)
        wait_until(self._answers, "the registry to answer", 20, explain=lambda: tail(log))
        return self

    def _answers(self) -> bool:
        try:
            return self._get("/v2/").status_code in {200, 401}
        except requests.RequestException:
            return False

    def _get(self, path: str, **headers: str) -> requests.Response:
        return self.ask("GET", path, headers=headers)

    def ask(self, method: str, path: str, *, scope: str = "", **more: Any) -> requests.Response:
        """A request of the registry's API, logged in; `path` may be a whole address of the registry."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(self.folder / "ca.pem") if self.authority else True
            if self.tokens:
                more["headers"] = {**more.get("headers", {}), "Authorization": f"Bearer {self.tokens.token(scope)}"}
            else:
                more["auth"] = (USER, PASSWORD) if self.login else None
            url = path if path.startswith("http") else f"{self.url}{path}"
            return session.request(method, url, timeout=10, **more)

    def push(self, engine: Engine, image: str, name: str = "") -> str:
        """Puts `image` of `engine` here as `name` (its own name unless given); gives the reference to pull it by."""
        reference = f"{self.address}/{name or image}"
        if self.login or self.tokens:
            engine.docker("login", "-u", USER, "--password-stdin", self.address, stdin=PASSWORD.encode())
        engine.docker("tag", image, reference)
        engine.docker("push", "-q", reference)
        engine.docker("rmi", reference)
        return reference

    def digest(self, name: str, tag: str = "latest") -> str:
        """The digest of an image that was pushed."""
        # without Accept the registry converts to an older format, which has another digest
        return self._get(f"/v2/{name}/manifests/{tag}", Accept=MANIFEST).headers["Docker-Content-Digest"]

    def slow(self, bytes_per_second: int, *, sent: bool = False) -> SlowProxy:
        """A second address of this registry, `.address`, that passes so many bytes on, of what it gives and, with `sent`,
        of what it gets; use it with `with`."""
        return SlowProxy(self.host, self.port, bytes_per_second, sent=sent)

    def stop(self) -> None:
        """Stops it; `start` brings it back with its images."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)

    def __enter__(self) -> "Registry":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.tokens:
            self.tokens.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
