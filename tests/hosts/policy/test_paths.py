"""The ways out of a container through every path that can carry them, as a deployer on a real engine: none passes."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from hosts.policy.containers import check_container
from hosts.policy.refusals import NothingKnown
from hosts.policy.rules import Rules
from hosts.specs.body import to_engine
from hosts.specs.compose_out import to_compose
from hosts.specs.inspected import from_inspect
from hosts.specs.run_line import to_run
from hosts.specs.spec import ContainerSpec, to_json
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.policy import escapes
from tests.servers.product import PASSWORD, Product
from tests.waiting import until

NAME = "olga-policy"
VERSION = "1.48"
FIELDS = {"ipc_mode", "mounts", "security_opt"}  # with the memory of the host an engine takes its labels away, too


class Olga:
    """A deployer, who manages no host."""

    def __init__(self, product: Product) -> None:
        self.product = product
        product.api("users", "POST", name=NAME, role="deployer", password=PASSWORD)
        said = product.manage("token", "create", NAME, "--name", "policy")
        self.token = said.split()[-1]
        self.session = product.session(NAME)

    def ask(self, where: str, method: str = "POST", **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(
            method, f"{self.product.url}/api/v1/{where}", headers=headers, json=body or None, timeout=60
        )

    def refused(self, where: str, **body: Any) -> dict[str, Any]:
        """The problem that is answered."""
        answer = self.ask(where, **body)
        said = dict(answer.json())
        assert (answer.status_code, said["code"]) == (403, "policy_refused"), f"{where} {body}: {answer.text}"
        return said

    def _ended(self, job: int) -> Any:
        found = self.product.api(f"jobs/{job}")
        return found if found["state"] not in {"queued", "running"} else None

    def job_refused(self, path: str, rule: str, **body: Any) -> None:
        """A job that fails by the policy."""
        answer = self.ask(path, **body)
        assert answer.status_code == 202, answer.text
        job = until(lambda: self._ended(answer.json()["job"]), "the job ends", 60)
        assert job["state"] == "failed" and f"({rule})" in job["error"], job


@pytest.fixture(scope="module")
def olga(product: Product) -> Iterator[Olga]:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    yield Olga(product)
    product.api(f"users/{NAME}", "DELETE")


@pytest.fixture
def known(product: Product, run: Runner) -> Any:
    """Starts a container outside of the product and waits until that knows it."""

    def start(script: str = "sleep 600", *options: str) -> str:
        name = run(script, *options)
        until(lambda: name in {row["name"] for row in product.api("containers?limit=500")["items"]}, "it is known")
        return str(name)

    return start


def carried(body: Any) -> ContainerSpec | None:
    """The specification that asks for the same, None where none can: then no path of ours carries it."""
    told = {"Config": {k: v for k, v in body.items() if k != "HostConfig"}, "HostConfig": body.get("HostConfig") or {}}
    spec = from_inspect(told)
    spec.log.driver = spec.log.driver or ""
    if spec.security_opt == [] and (
        told["HostConfig"].get("MaskedPaths") == [] or "ReadonlyPaths" in told["HostConfig"]
    ):
        spec.security_opt = ["systempaths=unconfined"]
    found = check_container(to_engine(spec, VERSION).body, Rules(), NothingKnown())
    return spec if found else None


CARRIED = {name: (rule, spec) for name, (rule, body) in escapes.CONTAINERS.items() if (spec := carried(body))}


def names(engine: DockerEngine) -> set[str]:
    return set(engine.docker("ps", "-aq", "--no-trunc").split())


def test_most_ways_out_are_carried() -> None:
    assert len(CARRIED) >= 60, sorted(set(escapes.CONTAINERS) - set(CARRIED))


def test_no_way_out_passes_by_api_run_line_compose_page_or_edit(
    olga: Olga, known: Any, docker_engine: DockerEngine
) -> None:
    harmless = known()
    before, wrong, tried = names(docker_engine), [], 0
    for name, (rule, spec) in CARRIED.items():
        spec.name = f"escape-{uuid4().hex[:6]}"
        (line, unsaid), compose, whole = to_run(spec), to_compose(spec), to_json(spec)
        page = {"host": "local", "start": "1"}
        for way, answer in {
            "api": olga.ask("containers/local", **whole),
            "run line": olga.ask("containers/local", **({"run": line} if not unsaid else whole)),
            "compose": olga.ask("containers/local", compose=compose),
            "edit": olga.ask(f"containers/local/{harmless}/recreate", specification=whole),
            "page": _sent(olga, view="compose", compose=compose, whole="{}", **page),
            "edit page": _sent(olga, view="compose", compose=compose, whole="{}", edits=f"local/{harmless}", **page),
        }.items():
            refused = answer.status_code in {403, 422} and f"({rule})" in answer.text
            tried += refused
            # what cannot be written that way, or no engine knows, is refused before
            if not refused and answer.status_code != 422:
                wrong.append((name, way, answer.status_code, answer.text[:300]))
    assert wrong == []
    assert tried >= 5 * 60, tried
    assert names(docker_engine) == before


def _sent(olga: Olga, **fields: str) -> requests.Response:
    return olga.product.post("/containers/create/", olga.session, **fields)


def test_a_refusal_names_rule_and_field_and_is_in_the_audit(olga: Olga) -> None:
    said = olga.refused("containers/local", image="busybox", privileged=True, cap_add=["SYS_ADMIN"])
    assert said["field"] == "privileged" and {one["field"] for one in said["errors"]} == {"privileged", "cap_add"}
    assert "The policy of local forbids this (privileged)." in said["title"]
    assert "ask who manages the host" in said["title"]
    page = _sent(olga, view="run", run="docker run --privileged busybox", whole="{}", host="local", start="1")
    assert page.status_code == 422 and "The policy of local forbids this (privileged)." in page.text
    found = olga.product.api("audit?action=container.create&outcome=refused")["items"]
    assert found[0]["actor"] == NAME and found[0]["detail"]["rules"] == ["privileged"]


def test_names_that_lead_out_are_found_by_the_engine(olga: Olga, docker_engine: DockerEngine, known: Any) -> None:
    volume = f"disguise-{uuid4().hex[:6]}"
    docker_engine.docker("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", "device=/etc", volume)
    host = docker_engine.docker("network", "inspect", "-f", "{{.Id}}", "host").strip()
    loose = known("sleep 600", "--network", "host")
    ours = known("sleep 600")
    before = names(docker_engine)
    olga.job_refused("containers/local", "volume_types", run=f"docker run -v {volume}:/v busybox")
    olga.job_refused("containers/local", "volume_types", run=f"docker run --mount source={volume},target=/v busybox")
    olga.job_refused("containers/local", "namespaces", run=f"docker run --network {host} busybox")
    olga.job_refused("containers/local", "containers", run=f"docker run --network container:{loose} busybox")
    assert names(docker_engine) == before
    made = olga.ask("containers/local", run=f"docker run --network container:{ours} busybox true").json()
    assert until(lambda: olga._ended(made["job"]), "it is made", 60)["state"] == "done"
    # its files are those of /etc
    assert "(volume_types)" in olga.refused(f"volumes/local/{volume}/files")["title"]
    olga.job_refused(f"volumes/local/{volume}/copy", "volume_types", to="local", name=f"{volume}-2")
    docker_engine.docker("volume", "rm", volume)


def test_a_container_that_has_more_is_not_made_anew_nor_gone_into(
    olga: Olga, known: Any, docker_engine: DockerEngine
) -> None:
    name = known("sleep 600", "-v", "/etc:/host", "--ipc", "host")
    spec = _spec(docker_engine, name)
    assert "(namespaces)" in olga.refused(f"containers/local/{name}/recreate", specification=spec)["title"]
    for path in ("files?path=/host", "files/content?path=/host/passwd", "files/stat?path=/host/passwd"):
        answer = olga.ask(f"containers/local/{name}/{path}", "GET")
        assert (answer.status_code, answer.json()["code"]) == (403, "policy_refused"), path
    changes = {"make": {"path": "/host/x"}, "rename": {"path": "/host/x", "new": "y"}, "delete": {"path": "/host/x"}}
    for verb, body in (changes | {"chmod": {"path": "/host/x", "mode": "777"}}).items():
        assert olga.refused(f"containers/local/{name}/files/{verb}", **body)["field"] in FIELDS, verb
    with olga.product.websocket(f"/ws/terminal?target=local/{name}", olga.session) as socket:
        said = json.loads(socket.recv(timeout=20))
    assert said["t"] == "error" and said["code"] == "policy_refused"
    with olga.product.websocket(f"/ws/terminal?target=local/{name}") as socket:  # the admin
        assert json.loads(socket.recv(timeout=20))["t"] == "ready"


def _spec(engine: DockerEngine, name: str, **changes: Any) -> dict[str, Any]:
    inspect = json.loads(engine.docker("inspect", name))[0]
    return {**to_json(from_inspect(inspect)), **changes}


# no path of ours makes a cluster volume
MADE = {name: case for name, case in escapes.VOLUMES.items() if "ClusterVolumeSpec" not in case[1]}


@pytest.mark.parametrize(("rule", "body"), MADE.values(), ids=MADE)
def test_no_volume_is_made_that_leads_out(olga: Olga, docker_engine: DockerEngine, rule: str, body: Any) -> None:
    name = f"escape-{uuid4().hex[:6]}"
    asked = {"name": name, "driver": body.get("Driver", "local"), "options": body.get("DriverOpts", {})}
    assert f"({rule})" in olga.refused("volumes/local", **asked)["title"]
    assert name not in docker_engine.docker("volume", "ls", "-q")


@pytest.mark.parametrize("name", [n for n in escapes.NETWORKS if n != "another way into the swarm"])
def test_no_network_is_made_that_leads_out(olga: Olga, docker_engine: DockerEngine, name: str) -> None:
    rule, body = escapes.NETWORKS[name]
    asked = {"name": f"escape-{uuid4().hex[:6]}", "driver": body.get("Driver", "bridge")}
    asked |= {"options": body.get("Options", {}), "ipam_driver": (body.get("IPAM") or {}).get("Driver", "")}
    assert f"({rule})" in olga.refused("networks/local", **asked)["title"]
    assert asked["name"] not in docker_engine.docker("network", "ls")


def test_no_setting_of_the_kernel_comes_by_a_network(olga: Olga, known: Any, docker_engine: DockerEngine) -> None:
    name, network = known(), f"quay-{uuid4().hex[:6]}"
    docker_engine.docker("network", "create", network)
    until(lambda: olga.ask(f"networks/local/{network}", "GET").ok, "it is known")
    options = {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1"}
    said = olga.refused(f"networks/local/{network}/connect", container=name, driver_options=options)
    assert "(sysctls)" in said["title"]
    docker_engine.docker("network", "rm", network)


def test_no_build_runs_in_the_hosts_network(olga: Olga) -> None:
    headers = {"Authorization": f"Bearer {olga.token}"}
    fields = {"name": "escape:1", "source": "dockerfile", "dockerfile": "FROM busybox\nRUN true", "network": "host"}
    answer = requests.post(f"{olga.product.url}/api/v1/images/local/build", fields, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (403, "policy_refused", "network")
