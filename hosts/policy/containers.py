"""The checker of containers: what goes to /containers/create and /containers/ID/update, and what one that is there has."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy import images, limits, mounts, namespaces, networks, powers
from hosts.policy.bodies import Twice, is_said, lowered
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

# what changes nothing outside of the container
PLAIN = {
    *("hostname", "domainname", "user", "attachstdin", "attachstdout", "attachstderr", "tty", "openstdin", "stdinonce"),
    *("cmd", "healthcheck", "argsescaped", "workingdir", "entrypoint", "networkdisabled", "macaddress"),
    *("onbuild", "labels", "stopsignal", "stoptimeout", "shell", "exposedports"),
}
PLAIN_OF_HOST = {
    *("restartpolicy", "autoremove", "init", "dns", "dnssearch", "dnsoptions", "extrahosts", "groupadd", "capdrop"),
    *("readonlyrootfs", "shmsize", "consolesize", "publishallports", "nanocpus", "cpushares", "cpuperiod", "cpuquota"),
    *("cpusetcpus", "cpusetmems", "memory", "memoryreservation", "memoryswap", "memoryswappiness", "kernelmemory"),
    *("kernelmemorytcp", "pidslimit", "blkioweight", "cpucount", "cpupercent", "iomaximumbandwidth", "iomaximumiops"),
    *("initpath",),
}
CHECKED = {"env", "image", "hostconfig", "networkingconfig", "volumes"}
CHECKED_OF_HOST = {
    *("privileged", "capadd", "devices", "devicecgrouprules", "devicerequests", "securityopt", "maskedpaths"),
    *("readonlypaths", "sysctls", "runtime", "annotations", "isolation", "cgroupparent", "oomscoreadj", "ulimits"),
    *("oomkilldisable", "cpurealtimeperiod", "cpurealtimeruntime", "storageopt", "logconfig", "portbindings"),
    *("blkioweightdevice", "blkiodevicereadbps", "blkiodevicewritebps", "blkiodevicereadiops", "blkiodevicewriteiops"),
    *("networkmode", "pidmode", "ipcmode", "utsmode", "usernsmode", "cgroupnsmode", "cgroup", "links"),
    *("binds", "mounts", "tmpfs", "volumesfrom", "volumedriver"),
}
# rules that say what of its host a container reaches; who may not make such a one may not go into one either
REACH = {
    *("privileged", "capabilities", "devices", "device_rules", "gpus", "namespaces", "containers", "binds"),
    *("engine_socket", "volumes_from", "volume_drivers", "volume_types", "security_options", "network_drivers"),
}
UNKNOWN = gettext_noop("%(what)s is not known to be harmless.")
TWICE = gettext_noop("%(what)s is written in two ways: only one can be meant.")


def check_container(body: Mapping[str, Any], rules: Rules, lookup: Lookup) -> list[Refusal]:
    """All that the body of POST /containers/create asks for and `rules` do not allow."""
    try:
        return list(_create(body, rules, lookup))
    except Twice as twice:
        return [Refusal("unknown", "", TWICE, {"what": str(twice)[:80]})]


def check_update(body: Mapping[str, Any], rules: Rules) -> list[Refusal]:
    """The same of POST /containers/ID/update, which has limits alone: those that are left out stay."""
    try:
        host = lowered(body)
        return [*_unknown(host, PLAIN_OF_HOST | CHECKED_OF_HOST), *limits.check(host, rules, whole=False)]
    except Twice as twice:
        return [Refusal("unknown", "", TWICE, {"what": str(twice)[:80]})]


def check_reach(inspect: Mapping[str, Any], rules: Rules, lookup: Lookup) -> list[Refusal]:
    """What a container that is there reaches of its host and may not be asked for: from its inspect answer."""
    try:
        host = lowered(inspect.get("HostConfig"))
        host.pop("cgroupnsmode", None)  # with cgroups of version 1 every container says host: nobody asked for it
        found = [*powers.check(host, rules), *namespaces.check(host, lookup, rules, check_reach)]
        found += [*mounts.check(host, rules, lookup, check_reach), *networks.check_modes(host, {}, rules, lookup)]
    except Twice as twice:
        return [Refusal("unknown", "", TWICE, {"what": str(twice)[:80]})]
    return [one for one in found if one.rule in REACH]


def _create(body: Mapping[str, Any], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    whole = lowered(body)
    host = lowered(whole.get("hostconfig"))
    yield from _unknown(whole, PLAIN | CHECKED)
    yield from _unknown(host, PLAIN_OF_HOST | CHECKED_OF_HOST)
    yield from images.check("image", whole.get("image"), rules, lookup)
    yield from powers.check_environment(whole.get("env"), rules)
    yield from powers.check(host, rules)
    yield from namespaces.check(host, lookup, rules, check_reach)
    yield from mounts.check_anonymous(whole.get("volumes"))
    yield from mounts.check(host, rules, lookup, check_reach)
    yield from networks.check_ports(host.get("portbindings"), rules)
    yield from networks.check_modes(host, lowered(whole.get("networkingconfig")), rules, lookup)
    yield from limits.check(host, rules, whole=True)


def _unknown(values: Mapping[str, Any], known: set[str]) -> Iterator[Refusal]:
    for name, value in values.items():
        if name not in known and is_said(value):
            yield Refusal("unknown", name, UNKNOWN, {"what": name[:80]})
