"""What tests do with services of a real swarm in the product."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import requests

from tests.engines.swarm import RealSwarm
from tests.servers.product import Product
from tests.waiting import until

OPEN = {"queued", "running"}
# no IP_VS here, and a `sleep` that is process 1 hears no SIGTERM; watched for half a second, all at once
QUIET: dict[str, Any] = {
    "image": "busybox",
    "command": ["sleep", "1000"],
    "endpoint_mode": "dnsrr",
    "stop_signal": "KILL",
    "update": {"monitor": 0.5, "parallelism": 0},
    "rollback": {"monitor": 0.5, "parallelism": 0},
}


class Fleet:
    """The swarm called `name` in the product, and the services that a test makes in it."""

    def __init__(self, product: Product, swarm: RealSwarm, name: str) -> None:
        self.product, self.swarm, self.name = product, swarm.with_images(), name
        self.made: list[str] = []

    def new_name(self) -> str:
        """A name that goes when the test ends."""
        self.made.append(f"crew-{uuid4().hex[:8]}")
        return self.made[-1]

    # ------------------------------------------------------------ acts
    def start(self, path: str, method: str = "POST", **body: Any) -> int:
        """Starts a job; its id."""
        return int(self.product.api(path, method, **body)["job"])

    def end(self, job: int, seconds: float = 40) -> Any:
        """The job when it is over."""

        def over() -> Any:
            found = self.product.api(f"jobs/{job}")
            return found if found["state"] not in OPEN else None

        return until(over, f"job {job} ends", seconds)

    def do(self, path: str, method: str = "POST", **body: Any) -> Any:
        """Starts a job and gives it when it is done."""
        job = self.end(self.start(path, method, **body))
        assert job["state"] == "done", job
        return job

    def create(self, **spec: Any) -> str:
        """A service that runs; its name."""
        name = spec.setdefault("name", self.new_name())
        self.do(f"services/{self.name}", **QUIET | {"pin": False} | spec)
        return str(name)

    def refused(self, path: str, method: str = "POST", **body: Any) -> Any:
        """The problem that is answered instead of a job."""
        answer = requests.request(
            method,
            f"{self.product.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.product.token}"},
            timeout=30,
        )
        assert not answer.ok, answer.text
        return answer.json() | {"status": answer.status_code}

    def is_there(self, path: str) -> bool:
        """Whether the API knows it."""
        headers = {"Authorization": f"Bearer {self.product.token}"}
        return requests.get(f"{self.product.url}/api/v1/{path}", headers=headers, timeout=30).ok

    # ------------------------------------------------------------ looks
    def service(self, name: str) -> Any:
        """As the product tells it, with its values."""
        return self.product.api(f"services/{self.name}/{name}?reveal=1")

    def spec(self, name: str) -> Any:
        """As the engine tells it."""
        return self.swarm.inspect("service", name)["Spec"]

    def log(self, job: Any) -> str:
        """What a job logged."""
        return self.product.http.get(f"{self.product.url}/jobs/{job['id']}/log/", timeout=10).text

    def soon(self, name: str, fits: Callable[[Any], bool], what: str) -> Any:
        """The service once it fits."""

        def found() -> Any:
            service = self.service(name)
            return service if fits(service) else None

        return until(found, what, 15)

    def runs(self, name: str, count: int) -> Any:
        """The service once so many tasks of it run, in the tables too."""

        def fits(service: Any) -> bool:
            now = [task for task in service["tasks"] if task["current"] and task["state"] == "running"]
            return bool(service["running"] == service["desired"] == len(now) == count)

        return self.soon(name, fits, f"{count} tasks run")

    def clear(self) -> None:
        """Removes what the test has made."""
        left = set(self.swarm.first.docker("service", "ls", "--format", "{{.Name}}").split())
        for name in left & set(self.made):
            self.swarm.first.docker("service", "rm", name)
