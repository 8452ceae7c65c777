"""Networks: their drivers and options, which a container is in, and the ports that it publishes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.bodies import Twice, is_said, lowered, texts
from hosts.policy.powers import check_sysctls
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

NO_NETWORK = {"", "default", "bridge", "none", "nat", "private", "host", "slirp4netns", "pasta"}
PLAIN_OPTIONS = {
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
    "com.docker.network.container_iface_prefix",
    "com.docker.network.driver.mtu",
    "com.docker.network.bridge.inhibit_ipv4",
    "com.docker.network.driver.overlay.vxlanid_list",
    "com.docker.network.enable_ipv4",
    "com.docker.network.enable_ipv6",
    "encrypted",
    "isolate",
    "mtu",
}
KNOWN = {
    *("name", "driver", "options", "internal", "attachable", "enableipv4", "enableipv6", "ipam", "labels", "scope"),
    *("checkduplicate", "configonly", "configfrom", "ingress"),
}
SYSCTLS_OF_ENDPOINT = "com.docker.network.endpoint.sysctls"
NAME_OF_ENDPOINT = "com.docker.network.endpoint.ifname"
DRIVER = gettext_noop("The network driver %(what)s is not allowed.")
OPTION = gettext_noop("The network option %(what)s may reach an interface of the host.")
HOST = gettext_noop("The network namespace of the host is not allowed.")
INGRESS = gettext_noop("The network through which a swarm takes requests is not to be replaced.")
PORT = gettext_noop("The port %(what)s is not to be published.")
UNKNOWN = gettext_noop("%(what)s is not known to be harmless.")
TWICE = gettext_noop("%(what)s is written in two ways: only one can be meant.")


# ---------------------------------------------------------------- to make one
def check_network(body: Mapping[str, Any], rules: Rules, lookup: Lookup) -> list[Refusal]:
    """All that the body of POST /networks/create asks for and `rules` do not allow."""
    try:
        return list(_network(lowered(body), rules, lookup))
    except Twice as twice:
        return [Refusal("unknown", "options", TWICE, {"what": str(twice)[:80]})]


def _network(whole: Mapping[str, Any], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    for name, value in whole.items():
        if name not in KNOWN and is_said(value):
            yield Refusal("unknown", name, UNKNOWN, {"what": name[:80]})
    yield from _driver("driver", whole.get("driver") or "bridge", rules)
    yield from _options("options", whole.get("options"), rules)
    ipam = lowered(whole.get("ipam"))
    if str(ipam.get("driver") or "default") not in {"default", "host-local", "none"}:
        yield Refusal("network_drivers", "ipam_driver", DRIVER, {"what": str(ipam["driver"])[:80]})
    if is_said(whole.get("ingress")):
        yield Refusal("network_drivers", "driver", INGRESS)
    source = lowered(whole.get("configfrom")).get("network")
    if source and (found := lookup.network(str(source))) is not None:
        yield from _options("config_from", found.get("Options"), rules)


def _driver(field: str, driver: Any, rules: Rules) -> Iterator[Refusal]:
    if str(driver) not in rules.network_drivers:
        yield Refusal("network_drivers", field, DRIVER, {"what": str(driver)[:80]})


def _options(field: str, options: Any, rules: Rules) -> Iterator[Refusal]:
    """Of drivers whose networks are of containers alone; the parent of a macvlan is allowed with it."""
    loose = {"parent", "mode", "macvlan_mode", "ipvlan_mode", "ipvlan_flag"}
    loose = loose if {"macvlan", "ipvlan"} & set(rules.network_drivers) else set()
    for name in options if isinstance(options, Mapping) else ():
        if str(name).lower() not in PLAIN_OPTIONS | loose:
            yield Refusal("network_drivers", field, OPTION, {"what": str(name)[:80]})


# ---------------------------------------------------------------- to be in one
def check_modes(
    host: Mapping[str, Any], networking: Mapping[str, Any], rules: Rules, lookup: Lookup
) -> Iterator[Refusal]:
    """Of a HostConfig and a NetworkingConfig, both `lowered`. The host's own network has an id, too."""
    mode = str(host.get("networkmode") or "")
    endpoints = networking.get("endpointsconfig")
    endpoints = endpoints if isinstance(endpoints, Mapping) else {}
    names = [*([] if mode.lower() in NO_NETWORK or ":" in mode else [mode]), *map(str, endpoints)]
    for name in dict.fromkeys(names):
        yield from check_joined(name, rules, lookup)
    for endpoint in endpoints.values():
        yield from check_endpoint(endpoint, rules, lookup)


def check_joined(name: str, rules: Rules, lookup: Lookup, field: str = "networks") -> Iterator[Refusal]:
    """The network that is called `name`, or has that id."""
    if name.lower() == "host":
        if "network" not in rules.namespaces:
            yield Refusal("namespaces", field, HOST)
        return
    found = lookup.network(name)
    driver = str((found or {}).get("Driver") or "")
    if driver == "host" and "network" not in rules.namespaces:
        yield Refusal("namespaces", field, HOST)
    elif driver and driver not in {"null", "host"}:
        yield from _driver(field, driver, rules)


def check_endpoint(body: Any, rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    """What a container has in a network. Raises Twice."""
    endpoint = lowered(body)
    for link in texts(endpoint.get("links")):
        if lookup.container(link.partition(":")[0].strip("/")) is None:
            words = {"what": link[:80]}
            yield Refusal(
                "containers",
                "networks",
                gettext_noop("You may not operate the container %(what)s, if there is one."),
                words,
            )
    options = endpoint.get("driveropts")
    for name, value in options.items() if isinstance(options, Mapping) else ():
        if str(name).lower() == SYSCTLS_OF_ENDPOINT:
            pairs = {pair.partition("=")[0].strip(): "" for pair in str(value).split(",") if pair.strip()}
            yield from check_sysctls(pairs, rules)
        elif str(name).lower() != NAME_OF_ENDPOINT:
            yield Refusal("network_drivers", "networks", OPTION, {"what": str(name)[:80]})


def check_connect(
    name: str, body: Mapping[str, Any], rules: Rules, lookup: Lookup, field: str = "network"
) -> list[Refusal]:
    """All that POST /networks/NAME/connect asks for and `rules` do not allow."""
    try:
        whole = lowered(body)
        joined = check_joined(name, rules, lookup, field)
        return [*joined, *check_endpoint(whole.get("endpointconfig"), rules, lookup)]
    except Twice as twice:
        return [Refusal("unknown", field, TWICE, {"what": str(twice)[:80]})]


# ---------------------------------------------------------------- ports
def check_ports(bindings: Any, rules: Rules) -> Iterator[Refusal]:
    """Of PortBindings. Without a port the engine takes a free one."""
    for entries in bindings.values() if isinstance(bindings, Mapping) else ():
        for entry in entries if isinstance(entries, list | tuple) else ():
            yield from check_port(lowered(entry).get("hostport"), rules)


def check_port(port: Any, rules: Rules) -> Iterator[Refusal]:
    """One port, or a range like 8000-8010."""
    text = str(port or "").strip()
    if text in {"", "0"}:
        return
    first, dash, last = text.partition("-")
    ends = [end for end in (first, last if dash else first) if end.isascii() and end.isdecimal() and len(end) < 6]
    if len(ends) < 2 or not all(map(rules.allows_port, range(int(ends[0]), int(ends[1]) + 1))):
        yield Refusal("ports", "ports", PORT, {"what": text[:80]})
