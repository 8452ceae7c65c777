"""Limits that each container must have, and what would give it more than its part."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.bodies import is_said, lowered, objects
from hosts.policy.powers import check_rates
from hosts.policy.refusals import Refusal
from hosts.policy.rules import Rules

LEAST = {"nanocpus": 10_000_000}  # of a hundredth of that an engine makes no limit
NEEDED = {  # limit -> where it may stand, and the form's field
    "memory": (("memory",), "limits.memory"),
    "cpus": (("nanocpus", "cpuquota"), "limits.cpus"),
    "pids": (("pidslimit",), "limits.pids"),
}
STORAGE = {"size"}
LIMIT = gettext_noop("A limit of %(what)s is required.")
PRIORITY = gettext_noop("Nothing may be put before others when memory or CPU is short.")
PARENT = gettext_noop("The cgroup is not to be chosen.")
ULIMIT = gettext_noop("The ulimit %(what)s is not allowed.")
DRIVER = gettext_noop("The log driver %(what)s is not allowed.")
OPTION = gettext_noop("The storage option %(what)s is not allowed.")


def check(host: Mapping[str, Any], rules: Rules, *, whole: bool) -> Iterator[Refusal]:
    """Of a HostConfig, `lowered`; when it is not `whole`, what is left out stays as it is."""
    yield from _needed(host, rules, whole=whole)
    yield from _more_than_others(host, rules)
    if not whole:
        yield from check_rates(host, rules)
    if is_said(host.get("cgroupparent")) and not rules.cgroup_parent:
        yield Refusal("cgroup_parent", "cgroup_parent", PARENT)
    yield from check_ulimits(host.get("ulimits"), rules)
    options = host.get("storageopt")
    for name in options if isinstance(options, Mapping) else ():
        if str(name).lower() not in STORAGE:
            yield Refusal("storage", "storage_opt", OPTION, {"what": str(name)[:80]})
    yield from check_log(lowered(host.get("logconfig")).get("type"), rules)


def _needed(host: Mapping[str, Any], rules: Rules, *, whole: bool) -> Iterator[Refusal]:
    for limit in rules.limits:
        names, field = NEEDED[limit]
        said = {name: host[name] for name in names if name in host}
        if (whole or said) and not any(
            isinstance(value, int) and value >= LEAST.get(name, 1) for name, value in said.items()
        ):
            yield Refusal("limits", field, LIMIT, {"what": limit})


def _more_than_others(host: Mapping[str, Any], rules: Rules) -> Iterator[Refusal]:
    if rules.priority:
        return
    yield from check_score(host.get("oomscoreadj"), rules)
    fields = {
        "oomkilldisable": "limits.oom_kill_disable",
        "cpurealtimeperiod": "limits.cpu_rt_period",
        "cpurealtimeruntime": "limits.cpu_rt_runtime",
    }
    for name, field in fields.items():
        if is_said(host.get(name)):
            yield Refusal("priority", field, PRIORITY)


def check_score(value: Any, rules: Rules) -> Iterator[Refusal]:
    """Of OomScoreAdj."""
    if is_said(value) and not (isinstance(value, int) and value > 0) and not rules.priority:
        yield Refusal("priority", "oom_score_adj", PRIORITY)


def check_ulimits(value: Any, rules: Rules) -> Iterator[Refusal]:
    """Of Ulimits."""
    for entry in objects(value):
        name = str(entry.get("name") or "").lower().removeprefix("rlimit_")
        if name not in rules.ulimits:
            yield Refusal("ulimits", "ulimits", ULIMIT, {"what": name[:80]})


def check_log(driver: Any, rules: Rules) -> Iterator[Refusal]:
    """Of LogConfig.Type; "" is the engine's own."""
    if is_said(driver) and driver not in {*rules.log_drivers, "k8s-file"}:  # Podman's json-file
        yield Refusal("log_drivers", "log.driver", DRIVER, {"what": str(driver)[:80]})
