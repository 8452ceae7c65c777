"""What of a container can be changed while it is there: its limits, and when it is restarted."""

from copy import deepcopy
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.check import problems
from hosts.specs.fields import FIELDS, NOTHING, bury, get, put
from hosts.specs.run_flags import show_restart
from hosts.specs.spec import ContainerSpec, Restart

LIMITS = (
    "limits.cpus",
    "limits.cpu_shares",
    "limits.cpuset_cpus",
    "limits.cpuset_mems",
    "limits.memory",
    "limits.memory_reservation",
    "limits.memory_swap",
    "limits.pids",
    "limits.blkio_weight",
)
RESTART = "restart"
NAMES = (*LIMITS, RESTART)
_fields = {entry.name: entry for entry in FIELDS if entry.name in LIMITS}


def apply_to(before: ContainerSpec, changes: dict[str, Any]) -> ContainerSpec:
    """`before` with other values at dotted names. Raises Invalid, with all that is wrong in its `others`."""
    after = deepcopy(before)
    for name, value in changes.items():
        put(after, name, value)
    found = [error for error in problems(after) if _concerns(error.field)]
    for error in found:
        error.field = RESTART if error.field.startswith((RESTART, "auto_remove")) else error.field
    if found:
        found[0].others = found[1:]
        raise found[0]
    return after


def _concerns(field: str) -> bool:
    return field in LIMITS or field.startswith((RESTART, "auto_remove"))


def different(before: ContainerSpec, after: ContainerSpec) -> list[str]:
    """The names at which they differ, of those that can be changed."""
    return [name for name in NAMES if _value(before, name) != _value(after, name)]


def _value(spec: ContainerSpec, name: str) -> Any:
    value = get(spec, name)
    return Restart() if value == Restart("no") else value  # the two say the same


def shown(spec: ContainerSpec, name: str) -> str:
    """A value as text; "" for none."""
    value = get(spec, name)
    if name == RESTART:
        return show_restart(value) or "no"
    return "" if value == get(NOTHING, name) else _fields[name].kind.show(value)


def to_update(before: ContainerSpec, after: ContainerSpec) -> dict[str, Any]:
    """The body of an update. Raises Invalid for a limit that no engine lifts in place."""
    body: dict[str, Any] = {}
    for name in different(before, after):
        if name == RESTART:
            policy = after.restart.policy or "no"
            body["RestartPolicy"] = {"Name": policy, "MaximumRetryCount": after.restart.retries}
            continue
        value = get(after, name) or _none(name, after)
        bury(body, _fields[name].engine.removeprefix("HostConfig."), _fields[name].kind.engine(value))
    if "Memory" in body and not after.limits.memory_swap:
        # an engine's own choice of it; without it, it compares the memory with the old choice, and refuses
        body["MemorySwap"] = 2 * after.limits.memory
    return body


def _none(name: str, after: ContainerSpec) -> int:
    """What says "no limit" to an engine, for which 0 is "as it was"."""
    if name == "limits.pids":
        return -1
    if name == "limits.memory_swap" and after.limits.memory:
        return 2 * after.limits.memory
    raise Invalid(
        name,
        gettext_noop(
            "An engine cannot lift this limit while the container is there. Write another value, or recreate the container."
        ),
    )
