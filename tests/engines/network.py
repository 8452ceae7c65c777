"""The network of one run: a bridge with an address, a network namespace for each engine, cutting one off.

Every name carries the run's number, so that runs live side by side and `clean.py` finds all of one run by names alone:
bridge `dt3br`, namespaces `dt3-NAME`, links `dt3v1`, addresses 10.214.3.0/24, rules with the comment dermaga-tests-3.
"""

import os
import re
import shlex
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.engines.commands import CommandFailed, run_command

NAMESPACES = Path("/run/netns")
ADDRESSES = "10.214"


def bridge(slot: int) -> str:
    return f"dt{slot}br"


def subnet(slot: int) -> str:
    return f"{ADDRESSES}.{slot}.0/24"


def gateway(slot: int) -> str:
    """The bridge's own address: this machine as the engines see it."""
    return f"{ADDRESSES}.{slot}.1"


def stranger(slot: int) -> str:
    """Another address of the bridge, outside of the subnet whose registries engines take without asking for TLS."""
    address = f"198.51.100.{slot}"  # of a net for documentation
    if address not in run_command("ip", "-4", "address", "show", "dev", bridge(slot)):
        run_command("ip", "address", "add", f"{address}/32", "dev", bridge(slot))
    return address


def comment(slot: int) -> str:
    return f"dermaga-tests-{slot}"


def namespace(slot: int, name: str) -> str:
    return f"dt{slot}-{name}"


def is_taken(slot: int) -> bool:
    """True when this machine already routes the slot's addresses somewhere else."""
    if not shutil.which("ip"):
        return False
    routes = run_command("ip", "-4", "route", "show", "root", subnet(slot)).splitlines()
    return any(f" dev {bridge(slot)} " not in f"{line} " for line in routes)


def bridge_up(slot: int) -> None:
    """Makes the bridge and lets it reach the outside (apt in a `docker build`); does nothing when it is there."""
    name = bridge(slot)
    if (Path("/sys/class/net") / name).exists():
        return
    run_command("ip", "link", "add", name, "type", "bridge")
    run_command("ip", "address", "add", f"{gateway(slot)}/24", "dev", name)
    run_command("ip", "link", "set", name, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # a dockerd of the machine itself sets the policy of FORWARD to DROP
    add_rule(slot, "filter", "FORWARD", "-i", name, "-j", "ACCEPT")
    add_rule(slot, "filter", "FORWARD", "-o", name, "-j", "ACCEPT")
    add_rule(slot, "nat", "POSTROUTING", "-s", subnet(slot), "!", "-o", name, "-j", "MASQUERADE")


def add_namespace(slot: int, name: str, link: str, address: str) -> str:
    """A network namespace with `address` on the bridge; gives its path. `link` is its end on this side."""
    bridge_up(slot)
    space = namespace(slot, name)
    run_command("ip", "netns", "add", space)
    run_command("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
    run_command("ip", "link", "set", link, "master", bridge(slot), "up")
    path = str(NAMESPACES / space)
    script = (
        f"ip link set lo up && ip address add {address}/24 dev eth0 && ip link set eth0 up && "
        f"ip route replace default via {gateway(slot)} && echo 1 > /proc/sys/net/ipv4/ip_forward"
    )
    # nsenter, not `ip netns exec`: the latter mounts a fresh /sys, in which no cgroup is mounted
    run_command("nsenter", f"--net={path}", "sh", "-c", script)
    return path


def remove_namespace(slot: int, name: str, link: str) -> None:
    with suppress(CommandFailed):
        run_command("ip", "link", "delete", link)
    with suppress(CommandFailed):
        run_command("ip", "netns", "delete", namespace(slot, name))


def cut(slot: int, address: str, mode: str) -> None:
    """Cuts this machine off from `address`: "drop" (packets vanish) or "refuse" (TCP resets at once)."""
    if mode == "drop":
        add_rule(slot, "filter", "INPUT", "-s", address, "-j", "DROP")
        add_rule(slot, "filter", "OUTPUT", "-d", address, "-j", "DROP")
    else:
        add_rule(slot, "filter", "OUTPUT", "-d", address, "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")


def heal(slot: int, address: str) -> None:
    """Takes back what `cut` did to `address`."""
    for rule in rules(slot):
        if f"{address}/32" in rule[1:] and rule[2] in {"INPUT", "OUTPUT"}:
            delete_rule(rule)


def add_rule(slot: int, table: str, chain: str, *rule: str) -> None:
    mark = ("-m", "comment", "--comment", comment(slot))
    run_command("iptables", "-w", "10", "-t", table, "-I", chain, "1", *rule, *mark)


def rules(slot: int) -> list[list[str]]:
    """The run's iptables rules as [table, "-A", chain, ...]."""
    if not shutil.which("iptables-save") or os.geteuid() != 0:
        return []
    found, table = [], ""
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, timeout=30).stdout
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith("-A") and comment(slot) in (words := shlex.split(line)):
            found.append([table, *words])
    return found


def delete_rule(rule: list[str]) -> None:
    table, _, *rest = rule
    with suppress(CommandFailed):
        run_command("iptables", "-w", "10", "-t", table, "-D", *rest)


def links(slot: int) -> list[str]:
    """Names of the run's bridge and links on this side."""
    pattern = re.compile(rf"dt{slot}(br|v\d+)")
    return [entry.name for entry in Path("/sys/class/net").iterdir() if pattern.fullmatch(entry.name)]


def namespaces(slot: int) -> list[Path]:
    """The run's network namespaces."""
    return sorted(NAMESPACES.glob(f"dt{slot}-*")) if NAMESPACES.is_dir() else []
