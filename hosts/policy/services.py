"""The checker of services of a swarm: what goes to /services/create and /services/ID/update."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy import images, limits, mounts, networks, powers
from hosts.policy.bodies import Twice, is_said, lowered, objects
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

PLAIN = {"name", "labels", "mode", "updateconfig", "rollbackconfig"}
PLAIN_OF_TASK = {"restartpolicy", "placement", "forceupdate"}
PLAIN_OF_CONTAINER = {
    *("labels", "command", "args", "hostname", "dir", "user", "groups", "tty", "openstdin", "readonly", "init"),
    *("stopsignal", "stopgraceperiod", "healthcheck", "hosts", "dnsconfig", "secrets", "configs", "capabilitydrop"),
}
NEEDED = {"memory": "memorybytes", "cpus": "nanocpus", "pids": "pids"}
UNKNOWN = gettext_noop("%(what)s is not known to be harmless.")
TEMPLATE = gettext_noop("%(what)s is a template: what a node makes of it cannot be told here.")
TWICE = gettext_noop("%(what)s is written in two ways: only one can be meant.")


def check_service(body: Mapping[str, Any], rules: Rules, lookup: Lookup) -> list[Refusal]:
    """All that a ServiceSpec asks for and `rules` do not allow."""
    try:
        return list(_service(lowered(body), rules, lookup))
    except Twice as twice:
        return [Refusal("unknown", "", TWICE, {"what": str(twice)[:80]})]


def _service(whole: Mapping[str, Any], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    task, endpoint = lowered(whole.get("tasktemplate")), lowered(whole.get("endpointspec"))
    container = lowered(task.get("containerspec"))
    yield from _unknown(whole, PLAIN | {"tasktemplate", "endpointspec", "networks"})
    if str(task.get("runtime") or "container").lower() != "container":
        yield Refusal("runtimes", "runtime", powers.RUNTIME, {"what": str(task["runtime"])[:80]})
    yield from _unknown(task, PLAIN_OF_TASK | {"runtime", "containerspec", "resources", "networks", "logdriver"})
    yield from _container(container, rules, lookup)
    for network in [*objects(whole.get("networks")), *objects(task.get("networks"))]:
        yield from networks.check_joined(str(network.get("target") or ""), rules, lookup)
        yield from networks.check_endpoint({"DriverOpts": network.get("driveropts")}, rules, lookup)
        yield from _templates("network_drivers", "networks", [network.get("driveropts")])
    for port in objects(endpoint.get("ports")):
        yield from networks.check_port(port.get("publishedport"), rules)
    yield from _resources(lowered(task.get("resources")), rules)
    yield from limits.check_log(lowered(task.get("logdriver")).get("name"), rules)


def _unknown(values: Mapping[str, Any], known: set[str]) -> Iterator[Refusal]:
    for name, value in values.items():
        if name not in known and is_said(value):
            yield Refusal("unknown", name, UNKNOWN, {"what": name[:80]})


def _templates(rule: str, field: str, values: list[Any]) -> Iterator[Refusal]:
    """Nodes fill in templates also where a name or an option is checked here."""
    for value in values:
        if "{{" in str(value):
            yield Refusal(rule, field, TEMPLATE, {"what": str(value)[:80]})


def _container(container: Mapping[str, Any], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    checked = {
        "image",
        "env",
        "mounts",
        "capabilityadd",
        "sysctls",
        "ulimits",
        "privileges",
        "isolation",
        "oomscoreadj",
    }
    yield from _unknown(container, PLAIN_OF_CONTAINER | checked)
    yield from images.check("image", container.get("image"), rules, lookup)
    yield from powers.check_environment(container.get("env"), rules)
    yield from mounts.check_mounts(container.get("mounts"), rules, lookup)
    for mount in objects(container.get("mounts")):
        driver = lowered(lowered(mount.get("volumeoptions")).get("driverconfig"))
        yield from _templates(
            "volume_types", "mounts", [mount.get("source"), driver.get("name"), driver.get("options")]
        )
    yield from powers.check_capabilities(container.get("capabilityadd"), rules)
    yield from powers.check_sysctls(container.get("sysctls"), rules)
    yield from limits.check_ulimits(container.get("ulimits"), rules)
    yield from limits.check_score(container.get("oomscoreadj"), rules)
    if str(container.get("isolation") or "default").lower() != "default":
        yield Refusal("runtimes", "isolation", powers.RUNTIME, {"what": str(container["isolation"])[:80]})
    if not rules.security_options:
        yield from _privileges(lowered(container.get("privileges")))


def _privileges(privileges: Mapping[str, Any]) -> Iterator[Refusal]:
    """Those that restrict are allowed."""
    fields = {"credentialspec": "credential_spec", "selinuxcontext": "selinux", "apparmor": "apparmor"}
    seccomp = lowered(privileges.get("seccomp"))
    if str(seccomp.get("mode") or "default").lower() != "default" or is_said(seccomp.get("profile")):
        yield Refusal("security_options", "privileges.seccomp", powers.SECURITY, {"what": "seccomp"})
    for name, value in privileges.items():
        if name in {"seccomp", "nonewprivileges"}:
            continue
        mode = str(lowered(value).get("mode") or "") if name == "apparmor" else ""
        said = any(is_said(part) for part in lowered(value).values()) if isinstance(value, Mapping) else is_said(value)
        if said and mode.lower() != "default":
            field = f"privileges.{fields.get(name, name)}"
            yield Refusal("security_options", field, powers.SECURITY, {"what": name[:80]})


def _resources(resources: Mapping[str, Any], rules: Rules) -> Iterator[Refusal]:
    yield from _unknown(resources, {"limits", "reservations", "swapbytes", "memoryswappiness"})
    most, least = lowered(resources.get("limits")), lowered(resources.get("reservations"))
    for limit in rules.limits:
        value = most.get(NEEDED[limit])
        if not (isinstance(value, int) and value > 0):
            yield Refusal("limits", f"limits.{limit}", limits.LIMIT, {"what": limit})
    if is_said(least.get("genericresources")) and not rules.gpus:
        yield Refusal("gpus", "reservations.generic", powers.REQUEST)
