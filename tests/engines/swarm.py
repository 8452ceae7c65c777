"""A real swarm: three engines that are its managers, so that one may be lost.

The kernel of the tests' machines has no IP_VS: services work with `--endpoint-mode dnsrr` and `mode=host` ports.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.engines.docker_engine import DockerEngine
from tests.engines.images import import_busybox
from tests.servers.product import Product
from tests.waiting import until

NAMES = ("buoy-a", "buoy-b", "buoy-c")
PORT = 2377
HEARTBEAT = 2  # seconds; a node that left is down after three of them, and tests wait for that


class RealSwarm:
    """`with RealSwarm() as swarm`: `engines` by name; the first one has made it, the others have joined as managers."""

    def __init__(self, names: tuple[str, ...] = NAMES) -> None:
        self.engines = {name: DockerEngine(name, tcp=True) for name in names}
        self._has_images = False

    @property
    def first(self) -> DockerEngine:
        """The engine that has made the swarm."""
        return next(iter(self.engines.values()))

    def __enter__(self) -> "RealSwarm":
        try:
            self.first.start()  # alone: it makes the bridge
            self._all(lambda engine: engine.is_running or engine.start())
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        for engine in self.engines.values():
            if engine.is_running:
                engine.kill()  # one that loses its leader while it stops takes half a minute
        self._all(DockerEngine.stop)

    def _all(self, do: Callable[[DockerEngine], Any]) -> None:
        with ThreadPoolExecutor(len(self.engines)) as pool:
            list(pool.map(do, self.engines.values()))

    # ------------------------------------------------------------ the swarm
    def make(self) -> None:
        """Makes it of the three engines."""
        own = ("--advertise-addr", self.first.address, "--dispatcher-heartbeat", f"{HEARTBEAT}s")
        self.first.docker("swarm", "init", *own)
        for name in list(self.engines)[1:]:
            self.join(name)

    def join(self, name: str, role: str = "manager") -> None:
        """An engine joins it."""
        token = self.first.docker("swarm", "join-token", "-q", role).strip()
        self.engines[name].docker("swarm", "join", "--token", token, f"{self.first.address}:{PORT}")

    def with_images(self) -> "RealSwarm":
        """Each engine has `busybox`: there is no registry to pull it from."""
        if not self._has_images:
            self._all(import_busybox)
            self._has_images = True
        return self

    # ------------------------------------------------------------ asking
    def node_id(self, name: str) -> str:
        """The node id of an engine."""
        return self.engines[name].docker("info", "--format", "{{.Swarm.NodeID}}").strip()

    def inspect(self, noun: str, name: str, by: str = "") -> Any:
        """What a manager (the first one) says of a node, service, secret or config."""
        return json.loads(self.engines.get(by, self.first).docker(noun, "inspect", name))[0]

    def heal(self) -> None:
        """Takes back every cut."""
        for engine in self.engines.values():
            engine.heal()

    # ------------------------------------------------------------ in the product
    def add_to(self, product: Product, names: tuple[str, ...] = NAMES) -> str:
        """Adds the engines of these names as hosts, where they are not yet, and waits until all are known to be managers;
        gives the swarm's name."""
        known = {host["name"] for host in product.api("hosts?limit=500")["items"]}
        for name in names:
            if name not in known:
                product.api("hosts", "POST", name=name, url=self.engines[name].url)

        def whole() -> str:
            for swarm in product.api("swarms")["items"]:
                found = {member["host"] for member in swarm["members"] if member["role"] == "manager"}
                if found == set(names) and swarm["state"] == "active" and swarm["nodes"] == len(self.engines):
                    return str(swarm["name"])
            return ""

        return str(until(whole, f"the swarm's managers {', '.join(names)} are known", 40))
