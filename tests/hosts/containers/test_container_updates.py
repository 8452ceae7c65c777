"""Limits and the restart policy of a container are changed while it is there: what is sent, kept, refused and written down."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.test import Client

from accounts.models import AuditEntry
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.runner import Runner
from tests.engines.ways import AnyEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

HTMX = {"HX-Request": "true"}
MIB = 1024 * 1024


@pytest.fixture
def limited(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    """A running container with limits of its own."""
    limits = ("--memory", "64m", "--cpus", "0.5", "--pids-limit", "50", "--restart", "on-failure:2")
    docker_engine.docker("run", "-d", "--name", "limited", *limits, "busybox", "sleep", "1000")
    until(lambda: product.api("containers?host=local&search=limited")["count"] == 1, "it shows")
    yield "limited"
    docker_engine.docker("rm", "-f", "limited")


def host_config(engine: AnyEngine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.docker("inspect", name))[0]["HostConfig"]
    return found


def refused(product: Product, path: str, **body: Any) -> Any:
    """The problem that the API answers."""
    headers = {"Authorization": f"Bearer {product.token}"}
    answer = requests.post(f"{product.url}/api/v1/{path}", json=body, headers=headers, timeout=30)
    assert not answer.ok, answer.text
    return answer.json() | {"status": answer.status_code}


# ---------------------------------------------------------------- on Docker
def test_the_dialog_shows_what_applies_and_changes_what_was_changed(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    url = f"/containers/local/{limited}/update/"
    dialog = until(lambda: "on-failure:2" in (html := product.http.get(product.url + url).text) and html, "it is known")
    for shown in ('value="64m"', 'value="0.5"', 'value="50"', 'value="on-failure:2"'):
        assert shown in dialog
    pid = json.loads(docker_engine.docker("inspect", limited))[0]["State"]["Pid"]
    changes = {"limits.memory": "128m", "limits.cpus": "1.5", "limits.pids": "", "restart": "unless-stopped"}
    answer = product.post(url, None, **changes)
    assert answer.ok and answer.url == f"{product.url}/containers/local/{_id(product, limited)}/", answer.text[:2000]
    now = host_config(docker_engine, limited)
    assert (now["Memory"], now["MemorySwap"], now["NanoCpus"]) == (128 * MIB, 256 * MIB, 1_500_000_000)
    assert now["PidsLimit"] in {None, 0, -1}
    assert now["RestartPolicy"] == {"Name": "unless-stopped", "MaximumRetryCount": 0}
    assert json.loads(docker_engine.docker("inspect", limited))[0]["State"]["Pid"] == pid
    until(lambda: 'value="128m"' in product.http.get(product.url + url).text, "the tables follow")


def test_every_limit_that_is_offered_reaches_the_engine(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    limits = {"cpu_shares": 512, "cpuset_cpus": "0", "cpuset_mems": "0", "memory_reservation": 32 * MIB, "pids": 77}
    more = {"memory": 96 * MIB, "memory_swap": 100 * MIB, "cpus": 0.25}
    body = {"limits": {**limits, **more}, "restart": {"policy": "always"}}
    answer = product.api(f"containers/local/{limited}/update", "POST", **body)
    assert answer == {"done": "update", "warnings": []}
    now = host_config(docker_engine, limited)
    kept = ("CpuShares", "CpusetCpus", "CpusetMems", "MemoryReservation", "PidsLimit", "Memory", "MemorySwap")
    assert [now[name] for name in kept] == [512, "0", "0", 32 * MIB, 77, 96 * MIB, 100 * MIB]
    assert now["NanoCpus"] == 250_000_000
    assert now["RestartPolicy"]["Name"] == "always"


def test_an_engine_that_cannot_weigh_block_io_says_so(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    answer = product.api(f"containers/local/{limited}/update", "POST", limits={"blkio_weight": 300})
    weight = host_config(docker_engine, limited)["BlkioWeight"]
    assert weight == 300 or answer["warnings"], f"{weight} and {answer}"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"limits": {"memory": 64 * MIB, "memory_swap": 32 * MIB}}, "limits.memory_swap", "at least the memory"),
    ({"limits": {"memory_reservation": 128 * MIB}}, "limits.memory_reservation", "above the limit of memory"),
    ({"limits": {"memory": 0}}, "limits.memory", "cannot lift this limit"),
    ({"limits": {"cpus": 0}}, "limits.cpus", "cannot lift this limit"),
    ({"limits": {"cpuset_cpus": "one"}}, "limits.cpuset_cpus", "is no list"),
    ({"restart": {"policy": "sometimes"}}, "restart", "is none of no, always"),
    ({"restart": {"policy": "always", "retries": 3}}, "restart", "on-failure only"),
]


def test_a_wrong_limit_is_named_and_nothing_is_changed(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    before = host_config(docker_engine, limited)
    for body, field, words in WRONG:
        problem = refused(product, f"containers/local/{limited}/update", **body)
        assert (problem["status"], problem["field"]) == (422, field)
        assert words in problem["title"]
    assert host_config(docker_engine, limited) == before


def test_memory_above_a_limit_of_memory_and_swap_that_was_set_is_refused_at_its_field(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    docker_engine.docker("update", "--memory-swap", "70m", limited)
    problem = refused(product, f"containers/local/{limited}/update", limits={"memory": 128 * MIB})
    assert (problem["status"], problem["field"]) == (422, "limits.memory_swap")
    answer = product.post(f"/containers/local/{limited}/update/", None, **{"limits.memory": "128m"})
    assert answer.status_code == 422
    assert 'value="128m"' in answer.text
    assert "at least the memory, or -1" in answer.text


def test_what_the_engine_refuses_is_said_in_its_words(
    product: Product, docker_engine: DockerEngine, limited: str
) -> None:
    problem = refused(product, f"containers/local/{limited}/update", limits={"cpuset_cpus": "0-4095"})
    assert problem["status"] in {400, 502}
    assert "Requested CPUs are not available" in problem["title"]


def test_a_container_that_removes_itself_is_not_restarted(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--rm", "--name", "shortly", "busybox", "sleep", "1000")
    until(lambda: product.api("containers?search=shortly")["count"] == 1, "it shows")
    problem = refused(product, "containers/local/shortly/update", restart={"policy": "always"})
    assert (problem["status"], problem["field"]) == (422, "restart")
    docker_engine.docker("rm", "-f", "shortly")


# ---------------------------------------------------------------- on Podman
def test_podman_changes_what_it_can_and_says_what_it_cannot(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    podman_engine.docker("run", "-d", "--name", "limits-raft", "--memory", "64m", "busybox", "sleep", "1000")
    try:
        until(lambda: product.api("containers?host=raft&search=limits-raft")["count"] == 1, "it shows")
        problem = refused(product, "containers/raft/limits-raft/update", limits={"memory": 128 * MIB})
        assert problem["status"] == 501
        assert "cannot change limits while a container is there. Recreate" in problem["title"]
    finally:
        podman_engine.docker("rm", "-f", "limits-raft")
        product.api("hosts/raft", "DELETE")


# ---------------------------------------------------------------- who, and what is written down
def test_the_audit_has_what_was_and_what_is(product: Product, docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    until(lambda: product.api(f"containers?search={name}")["count"] == 1, "it shows")
    product.api(f"containers/local/{name}/update", "POST", limits={"memory": 48 * MIB, "pids": 9})
    code = (
        "from accounts.models import AuditEntry; import json;"
        f"print(json.dumps(AuditEntry.objects.filter(action='container.update', target='{name}').latest('pk').detail))"
    )
    detail = json.loads(product.manage("shell", "-v", "0", "-c", code).splitlines()[-1])
    assert detail["before"] == {"memory": "", "pids": ""}
    assert detail["after"] == {"memory": "48m", "pids": "9"}


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_changes_nothing_and_a_refusal_is_written_down(client: Client) -> None:
    containers(a_host(), container_json("web"), container_json("gone", State="dead", Status="Dead"))
    client.force_login(person("vera", "viewer"))
    assert client.get("/containers/quay/web/update/").status_code == 403
    assert client.post("/containers/quay/web/update/", {"limits.memory": "64m"}).status_code == 403
    client.force_login(person("otto", "deployer"))
    assert client.put("/containers/quay/web/update/").status_code == 405
    answer = client.post("/containers/quay/gone/update/", {"limits.memory": "64m"}, headers=HTMX)
    assert answer.status_code == 422
    assert "gone is dead" in answer.content.decode()
    assert AuditEntry.objects.get(action="container.update").outcome == "refused"


@pytest.mark.core
@pytest.mark.django_db
def test_a_wrong_text_is_kept_at_its_field(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("otto", "deployer"))
    answer = client.post("/containers/quay/web/update/", {"limits.memory": "much", "restart": "always"}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="much"' in html and 'value="always"' in html
    assert html.count('aria-invalid="true"') == 1
    assert "is no size" in html


def _id(product: Product, name: str) -> str:
    return str(product.api(f"containers/local/{name}")["id"])[:12]
