"""Networks on a real engine: made with all there is to choose, joined and left, removed, pruned; by page and by API."""

import json
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.runner import Runner
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

HTMX = {"HX-Request": "true"}


class Names:
    """Names of networks that go when the test ends."""

    def __init__(self, engine: DockerEngine) -> None:
        self.engine = engine
        self.made: list[str] = []

    def __call__(self) -> str:
        self.made.append(f"net-{uuid4().hex[:8]}")
        return self.made[-1]

    def inspect(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.engine.docker("network", "inspect", name))[0])

    def there(self) -> set[str]:
        return set(self.engine.docker("network", "ls", "--format", "{{.Name}}").split())

    def remove(self) -> None:
        for name in self.there() & set(self.made):
            self.engine.docker("network", "rm", name)


@pytest.fixture
def nets(docker_engine: DockerEngine) -> Iterator[Names]:
    names = Names(docker_engine)
    yield names
    names.remove()


@pytest.fixture
def in_nets(nets: Names, docker_engine: DockerEngine) -> Iterator[Runner]:
    """Containers that go before their networks."""
    runner = Runner(docker_engine)
    yield runner
    runner.remove()


def shown(product: Product, name: str, host: str = "local") -> dict[str, Any]:
    """The network as the API has it, once the watcher has seen it."""
    path = f"networks?host={host}&search={name}"
    until(lambda: product.api(path)["count"], f"{name} is in the table")
    return dict(product.api(f"networks/{host}/{name}"))


def joined(product: Product, network: str, host: str = "local") -> dict[str, Any]:
    """Container -> how it is in the network."""
    return {row["name"]: row for row in product.api(f"networks/{host}/{network}")["containers"]}


# ---------------------------------------------------------------- making
def test_a_network_is_made_with_all_that_its_form_has(product: Product, nets: Names) -> None:
    name = nets()
    form: dict[str, Any] = {
        "host": "local",
        "name": name,
        "driver": "bridge",
        "internal": "on",
        "attachable": "on",
        "ipv6": "on",
        "options": "com.docker.network.driver.mtu=1400\r\ncom.docker.network.bridge.name = quay9",
        "labels": "team=web\r\nempty=",
        "pool0_subnet": "172.29.0.0/16",
        "pool0_range": "172.29.5.0/24",
        "pool0_gateway": "172.29.0.1",
        "pool0_aux": "nas=172.29.0.9, printer=172.29.0.10",
        "pool2_subnet": "fd00:29::/64",
    }
    answer = product.post("/networks/create/", **form)
    assert answer.ok and f"Made the network {name} on local." in answer.text
    made = nets.inspect(name)
    assert made["IPAM"]["Config"] == [
        {
            "Subnet": "172.29.0.0/16",
            "IPRange": "172.29.5.0/24",
            "Gateway": "172.29.0.1",
            "AuxiliaryAddresses": {"nas": "172.29.0.9", "printer": "172.29.0.10"},
        },
        {"Subnet": "fd00:29::/64"},
    ]
    assert (made["Internal"], made["Attachable"], made["EnableIPv6"], made["Driver"]) == (True, True, True, "bridge")
    assert made["Options"] == {
        "com.docker.network.driver.mtu": "1400",
        "com.docker.network.bridge.name": "quay9",
    }
    assert made["Labels"] == {"team": "web", "empty": ""}
    row = shown(product, name)
    assert (row["internal"], row["attachable"], row["ipv6"]) == (True, True, True)
    assert row["pools"][0]["aux"] == {"nas": "172.29.0.9", "printer": "172.29.0.10"}
    page = product.http.get(f"{product.url}/networks/local/{name}/").text
    for text in (
        "172.29.5.0/24",
        "nas=172.29.0.9",
        "com.docker.network.driver.mtu",
        "fd00:29::/64",
        "No container is in it",
    ):
        assert text in page, text


def test_what_only_the_engine_knows_to_be_wrong_is_said_at_its_field(product: Product, nets: Names) -> None:
    first, second = nets(), nets()
    made = product.api("networks/local", "POST", name=first, pools=[{"subnet": "172.28.0.0/16"}])
    assert nets.inspect(first)["Id"] == made["id"]
    shown(product, first)
    form: dict[str, Any] = {
        "host": "local",
        "name": second,
        "driver": "bridge",
        "pool1_subnet": "172.28.9.0/24",
        "labels": "a=b",
    }
    answer = product.post("/networks/create/", **form)
    assert answer.status_code == 422
    errors = answer.text.split('id="id_pool1_subnet_error"')[1].split("</div>")[0]
    assert f"It overlaps with 172.28.0.0/16 of the network {first}." in errors
    assert "a=b</textarea>" in answer.text
    form |= {"name": first, "pool1_subnet": "172.27.0.0/16"}
    answer = product.post("/networks/create/", **form)
    errors = answer.text.split('id="id_name_error"')[1].split("</div>")[0]
    assert f"There is a network called {first} already." in errors
    assert second not in nets.there()


# ---------------------------------------------------------------- joining and leaving
def test_a_container_joins_with_names_and_addresses_and_leaves(
    product: Product, nets: Names, in_nets: Runner, docker_engine: DockerEngine
) -> None:
    name = nets()
    pools = [{"subnet": "172.26.0.0/16"}, {"subnet": "fd00:26::/64"}]
    product.api("networks/local", "POST", name=name, ipv6=True, pools=pools)
    web = in_nets("sleep 300")
    until(lambda: product.api(f"containers?search={web}")["count"], "the container is in the table")
    shown(product, name)
    typed: dict[str, Any] = {"container": web, "aliases": "www, front", "ipv4": "172.26.0.77", "ipv6": "fd00:26::77"}
    answer = product.post(f"/networks/local/{name}/connect/", **typed)
    assert answer.ok and f"{web} is in {name} now." in answer.text
    row = until(lambda: (found := joined(product, name).get(web)) and found["aliases"] and found, "it shows in it")
    assert (row["ipv4"], row["ipv6"]) == ("172.26.0.77", "fd00:26::77")
    assert set(row["aliases"]) == {"www", "front"}
    told = json.loads(docker_engine.docker("inspect", web))[0]["NetworkSettings"]["Networks"][name]
    assert row["mac"] == told["MacAddress"]
    page = product.http.get(f"{product.url}/networks/local/{name}/").text
    for text in (web, "172.26.0.77", "fd00:26::77", told["MacAddress"], "www", "fixed: 172.26.0.77"):
        assert text in page, text
    drawn = product.http.get(f"{product.url}/hosts/local/map/?network={name}").text
    for text in (web, "172.26.0.77", "172.26.0.0/16", "1 of"):
        assert text in drawn, text
    in_use = product.post(f"/networks/local/{name}/remove/")
    assert f"Containers are still in {name}: {web}. Disconnect them first." in in_use.text
    assert name in nets.there()
    dialog = product.http.get(f"{product.url}/networks/local/{name}/disconnect/?container={web}").text
    assert f"Disconnect {web} from {name}?" in dialog
    assert product.post(f"/networks/local/{name}/disconnect/", container=web).ok
    until(lambda: web not in joined(product, name), "it is out")
    product.api(f"networks/local/{name}/connect", "POST", container=web, aliases=["again"])
    until(lambda: joined(product, name).get(web), "it is in again")
    product.api(f"networks/local/{name}/disconnect", "POST", container=web, force=True)
    until(lambda: web not in joined(product, name), "it is out again")
    assert product.post(f"/networks/local/{name}/remove/").ok
    assert name not in nets.there()
    until(lambda: not product.api(f"networks?search={name}")["count"], "it is out of the table")


# ---------------------------------------------------------------- configurations, options
def test_a_network_is_made_from_a_configuration(product: Product, nets: Names) -> None:
    template, name = nets(), nets()
    form: dict[str, Any] = {
        "host": "local",
        "name": template,
        "driver": "bridge",
        "config_only": "on",
        "pool0_subnet": "172.25.0.0/16",
    }
    assert f"Made the network {template}" in product.post("/networks/create/", **form).text
    told = nets.inspect(template)
    assert (told["ConfigOnly"], told["IPAM"]["Config"][0]["Subnet"]) == (True, "172.25.0.0/16")
    wrong = product.post("/networks/create/", host="local", name=name, driver="bridge", config_from="no-such-one")
    assert "There is no configuration called no-such-one." in wrong.text.split('id="id_config_from_error"')[1]
    product.api("networks/local", "POST", name=name, config_from=template)
    told = nets.inspect(name)
    assert (told["ConfigFrom"]["Network"], told["IPAM"]["Config"][0]["Subnet"]) == (template, "172.25.0.0/16")
    assert shown(product, name)["config_from"] == template and shown(product, template)["config_only"]
    assert template in product.http.get(f"{product.url}/networks/local/{name}/").text
    assert template not in product.http.get(f"{product.url}/networks/prune/?host=local").text
    assert product.post(f"/networks/local/{name}/remove/").ok and product.post(f"/networks/local/{template}/remove/").ok
    assert not {template, name} & nets.there()


def test_a_container_joins_with_options_of_the_driver(
    product: Product, nets: Names, in_nets: Runner, docker_engine: DockerEngine
) -> None:
    name = nets()
    product.api("networks/local", "POST", name=name)
    web = in_nets("sleep 300")
    until(lambda: product.api(f"containers?search={web}")["count"], "the container is in the table")
    typed: dict[str, Any] = {"container": web, "driver_options": "com.example.deck=upper\ncom.example.row=2"}
    assert product.post(f"/networks/local/{name}/connect/", **typed).ok
    told = json.loads(docker_engine.docker("inspect", web))[0]["NetworkSettings"]["Networks"][name]
    assert told["DriverOpts"] == {"com.example.deck": "upper", "com.example.row": "2"}


def test_what_an_engine_is_too_old_for_is_said_at_its_field(product: Product, nets: Names, in_nets: Runner) -> None:
    name = nets()
    product.api("networks/local", "POST", name=name)
    web = in_nets("sleep 300")
    until(lambda: product.api(f"containers?search={web}")["count"], "the container is in the table")
    wrong = {
        (
            "mac_address",
            "02:42:ac:11:00:09",
        ): "mac_address needs the engine's API 1.44 or newer; this engine speaks 1.41.",
        ("mac_address", "02:42"): "“02:42” is no MAC address.",
        ("gateway_priority", "5"): "gateway_priority needs the engine's API 1.48 or newer; this engine speaks 1.41.",
        ("gateway_priority", "much"): "“much” is no whole number.",
        ("gateway_priority", "9999999999"): "The number is too large.",
    }
    for (field, value), sentence in wrong.items():
        typed: dict[str, Any] = {"container": web, field: value}
        page = product.post(f"/networks/local/{name}/connect/", **typed)
        assert page.status_code == 422
        place = page.text.split(f'id="{field}-error"')[1].split("</div>")[0]
        assert sentence in unescape(place), place
        assert f'value="{value}"' in page.text
    assert web not in joined(product, name)


def test_an_engine_that_forgets_a_mac_address_is_found_out(product: Product, newer_engine: DockerEngine) -> None:
    name, nets, runner = f"far{uuid4().hex[:6]}", Names(newer_engine), Runner(newer_engine)
    product.api("hosts", "POST", name=name, url=newer_engine.url)
    try:
        until(lambda: product.api(f"hosts/{name}")["state"] == "online", "it is online")
        net, web, still = nets(), runner("sleep 300"), f"still-{uuid4().hex[:6]}"
        newer_engine.docker("create", "--name", still, "busybox")
        product.api(f"networks/{name}", "POST", name=net)
        until(lambda: product.api(f"containers?host={name}&search={still}")["count"], "the containers are in the table")
        for container in (web, still):
            typed: dict[str, Any] = {"container": container, "mac_address": "02:42:ac:11:00:09"}
            page = product.post(f"/networks/{name}/{net}/connect/", **typed)
            assert page.status_code == 422
            assert f"gives another MAC address than it is asked for here, so {container} was not" in page.text
            assert net not in json.loads(newer_engine.docker("inspect", container))[0]["NetworkSettings"]["Networks"]
        newer_engine.docker("rm", "-f", still)
    finally:
        runner.remove()
        nets.remove()
        product.api(f"hosts/{name}", "DELETE")


def test_a_gateways_priority_chooses_the_way_out(product: Product, newest_engine: DockerEngine) -> None:
    """At connect, on the page and over REST, and in the form that creates: the container's own route says so."""
    name, nets, runner = f"new{uuid4().hex[:6]}", Names(newest_engine), Runner(newest_engine)
    product.api("hosts", "POST", name=name, url=newest_engine.url)
    made = f"made-{uuid4().hex[:6]}"

    def way_out(container: str) -> str:
        routes = newest_engine.docker("exec", container, "ip", "route")
        return next(line.split()[2] for line in routes.splitlines() if line.startswith("default"))

    def gateway(net: str) -> str:
        return str(nets.inspect(net)["IPAM"]["Config"][0]["Gateway"])

    try:
        until(lambda: product.api(f"hosts/{name}")["state"] == "online", "it is online")
        low, high, web = nets(), nets(), runner("sleep 300")
        for net in (low, high):
            product.api(f"networks/{name}", "POST", name=net)
        until(lambda: product.api(f"containers?host={name}&search={web}")["count"], "the container is in the table")
        bridge = way_out(web)
        product.api(f"networks/{name}/{low}/connect", "POST", container=web, gateway_priority=-5)
        assert way_out(web) == bridge
        asked: dict[str, Any] = {"container": web, "gateway_priority": "7"}
        assert product.post(f"/networks/{name}/{high}/connect/", **asked).status_code == 200
        assert way_out(web) == gateway(high)
        entries = json.loads(newest_engine.docker("inspect", web))[0]["NetworkSettings"]["Networks"]
        assert {net: entry["GwPriority"] for net, entry in entries.items()} == {"bridge": 0, low: -5, high: 7}
        typed: dict[str, Any] = {"view": "form", "whole": "{}", "start": "1", "host": name, "name": made}
        typed |= {"image": "busybox", "pull": "never", "command": "sleep 300", "as.networks": "rows"}
        for number, (net, priority) in enumerate([(low, "1"), (high, "2")]):
            typed |= {f"networks.{number}.name": net, f"networks.{number}.gateway_priority": priority}
        page = product.post("/containers/create/", **typed)
        ended(product, int(page.url.rstrip("/").rpartition("/")[2]))
        entries = json.loads(newest_engine.docker("inspect", made))[0]["NetworkSettings"]["Networks"]
        assert {net: entry["GwPriority"] for net, entry in entries.items()} == {low: 1, high: 2}
        assert way_out(made) == gateway(high)
    finally:
        newest_engine.docker("rm", "-f", made)
        runner.remove()
        nets.remove()
        product.api(f"hosts/{name}", "DELETE")


# ---------------------------------------------------------------- pruning
def test_a_prune_takes_what_was_shown_and_is_still_unused(
    product: Product, nets: Names, in_nets: Runner, docker_engine: DockerEngine
) -> None:
    free, taken, stopped = nets(), nets(), nets()
    for name in (free, taken, stopped):
        docker_engine.docker("network", "create", name)
    ends = in_nets("true", "--network", stopped)
    until(lambda: joined_or_none(product, stopped, ends), "the stopped one is known to be in it")
    shown(product, free), shown(product, taken)
    listed = product.api("networks/local/prune", "POST", dry_run=True)["items"]
    ours = {row["name"]: row["id"] for row in listed if row["name"] in nets.made}
    assert set(ours) == {free, taken}
    assert not {"bridge", "host", "none"} & {row["name"] for row in listed}
    page = product.http.get(f"{product.url}/networks/prune/?host=local").text
    assert f'value="{ours[free]}"' in page and stopped not in page
    in_nets("sleep 300", "--network", taken)  # after it was looked at
    answer = product.post("/networks/prune/", host="local", target=[ours[free], ours[taken]])
    job = ended(product, int(answer.url.rstrip("/").rpartition("/")[2]))
    assert job["state"] == "done", job
    assert nets.there() & set(nets.made) == {taken, stopped}
    log = product.api(f"jobs/{job['id']}")
    assert log["progress"] == 1


def joined_or_none(product: Product, network: str, container: str) -> bool:
    found = product.api(f"networks?search={network}")["count"]
    return bool(found) and container in joined(product, network)


# ---------------------------------------------------------------- Podman
def test_podman_makes_joins_and_prunes_networks(product: Product, podman_engine: PodmanEngine) -> None:
    name, box = f"net-{uuid4().hex[:8]}", f"box-{uuid4().hex[:8]}"
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/raft")["state"] == "online", "Podman is online")
        product.api("networks/raft", "POST", name=name, pools=[{"subnet": "10.99.7.0/24"}], labels={"team": "web"})
        row = shown(product, name, "raft")
        assert (row["pools"][0]["subnet"], row["labels"]) == ("10.99.7.0/24", {"team": "web"})
        podman_engine.docker("create", "--name", box, "--network", name, "busybox", "true")
        until(lambda: joined(product, name, "raft").get(box), "the container is known")
        assert name not in [row["name"] for row in product.api("networks/raft/prune", "POST", dry_run=True)["items"]]
        podman_engine.docker("rm", "-f", box)
        until(lambda: not joined(product, name, "raft"), "the container is gone")
        listed = product.api("networks/raft/prune", "POST", dry_run=True)["items"]
        ids = [row["id"] for row in listed if row["name"] == name]
        job = ended(product, product.api("networks/raft/prune", "POST", networks=ids)["job"])
        assert job["state"] == "done", job
        assert not product.api(f"networks?host=raft&search={name}")["count"]
        assert name not in podman_engine.docker("network", "ls", "--format", "{{.Name}}").split()
    finally:
        product.api("hosts/raft", "DELETE")
