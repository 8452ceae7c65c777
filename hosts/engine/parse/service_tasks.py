"""How many tasks a service's Spec wants, and what each of them may use: what is counted of it, whatever else it says."""

from typing import Any, TypedDict

from hosts.engine.parse.values import at, dicts_of, whole

MOST = 2**31 - 1


class Tasks(TypedDict):
    """`tasks`: at once; None is one on each node. `on_a_node`: as many at most, 0 is no bound. CPUs in billionths, memory in
    bytes, 0 is no limit. Ports: published by the service, on every node, and by each task, on its own."""

    mode: str  # replicated global replicated-job global-job
    tasks: int | None
    on_a_node: int
    nano_cpus: int
    memory: int
    pids: int
    ports: int
    ports_of_task: int


def tasks_of(spec: Any) -> Tasks:
    """Of a Spec as an engine tells it or takes it, with what the engine puts where it says nothing."""
    task = at(spec, "TaskTemplate")
    limits = at(task, "Resources", "Limits")
    of_task = [port.get("PublishMode") == "host" for port in dicts_of(at(spec, "EndpointSpec", "Ports"))]
    mode, tasks = _mode(at(spec, "Mode"))
    return {
        "mode": mode,
        "tasks": tasks,
        "on_a_node": _count(at(task, "Placement", "MaxReplicas"), 0),
        "nano_cpus": max(0, whole(at(limits, "NanoCPUs"))),
        "memory": max(0, whole(at(limits, "MemoryBytes"))),
        "pids": max(0, whole(at(limits, "Pids"))),
        "ports": of_task.count(False),
        "ports_of_task": of_task.count(True),
    }


def _mode(mode: Any) -> tuple[str, int | None]:
    if isinstance(at(mode, "Global"), dict):
        return "global", None
    if isinstance(at(mode, "GlobalJob"), dict):
        return "global-job", None
    if isinstance(job := at(mode, "ReplicatedJob"), dict):
        at_once = _count(job.get("MaxConcurrent"), 1)
        in_all = _count(job.get("TotalCompletions"), at_once)
        return "replicated-job", min(at_once or in_all, in_all)
    return "replicated", _count(at(mode, "Replicated", "Replicas"), 1)


def _count(value: Any, none: int) -> int:
    """A number of tasks; `none` where it is not said."""
    return none if value is None else max(0, min(whole(value), MOST))
