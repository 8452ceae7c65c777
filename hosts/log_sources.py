"""Logs that can be read: of containers on our hosts, and of tasks of a swarm on nodes that are none, which a manager has
from the node."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from common.errors import Denied
from hosts.access import find_containers, get_container, may
from hosts.engine.targets import Target, TaskTarget
from hosts.models import Container, Host, SwarmMember, Task

TASK_LABEL = "com.docker.swarm.task.id"


@dataclass(frozen=True)
class Log:
    """One of them. `host` is asked for it: the container's own, or a manager (None when no manager is a host that may be
    asked), after which `others` are. `place` is the name of the host, or of the node. `task` is the id of a service's
    task, "" for any other container."""

    place: str
    engine_id: str
    name: str
    state: str
    task: str
    host: Host | None
    others: tuple[Host, ...] = ()
    is_task: bool = False
    owner_id: int | None = None

    def __str__(self) -> str:
        return f"{self.place}/{self.name}"

    @classmethod
    def of(cls, container: Container) -> "Log":
        """That of a container."""
        task = str(container.labels.get(TASK_LABEL) or "")
        return cls(
            container.host.name,
            container.engine_id,
            container.name,
            container.state,
            task,
            container.host,
            owner_id=container.owner_id,
        )

    @property
    def ref(self) -> str:
        """What names it in addresses and sockets: HOST/ID."""
        return f"{self.place}/{self.engine_id}"

    @property
    def key(self) -> tuple[str, str]:
        """Equal for the same log, whichever way it is read."""
        return ("task", self.task) if self.task else (self.place, self.engine_id)

    @property
    def places(self) -> list[str]:
        """The host on which a right to read it must hold."""
        return [self.host.name] if self.host else []

    @property
    def is_on(self) -> bool:
        """Whether somebody may be asked for it."""
        return self.host is not None and self.host.enabled

    @property
    def target(self) -> Target:
        """Where the engine layer finds it. Only where it `is_on`."""
        host = self.host
        assert host is not None
        if self.is_task:
            others = tuple(other.endpoint() for other in self.others)
            return TaskTarget(host.endpoint(), self.engine_id, "", host.name, others)
        return Target(host.endpoint(), self.engine_id, host.api_version, host.name)


def on_no_host(tasks: Any) -> Any:
    """Those of the `tasks` that have a container on a node which is no host here, or a disabled one."""
    ours = SwarmMember.objects.filter(host__enabled=True).values("node_id")
    return tasks.exclude(container_id="").exclude(node_ref__in=ours)


def logs_of_tasks(tasks: list[Task]) -> list[Log]:
    """Their logs, as managers give them. Its name has the task's id, as that of its container has."""
    managers: dict[int, list[Host]] = defaultdict(list)
    members = SwarmMember.objects.select_related("host", "swarm")
    found = members.filter(swarm__in={task.swarm_id for task in tasks}, control=True, host__enabled=True)
    for member in sorted(found, key=lambda m: (m.swarm and m.host_id != m.swarm.reader_id, not m.host.is_live)):
        managers[member.swarm_id or 0].append(member.host)
    logs = []
    for task in tasks:
        asked = managers[task.swarm_id]
        name, node = f"{task.name}.{task.engine_id}", task.node_name or task.node_ref
        first, others = next(iter(asked), None), tuple(asked[1:])
        owner, key = task.owner_id, task.engine_id
        logs.append(Log(node, key, name, task.state, key, first, others, is_task=True, owner_id=owner))
    return logs


def log_of_task(user: Any, task: Task) -> Log | None:
    """The log of one task, from its container where that is on a host of ours; None while it has none."""
    if not task.container_id:
        return None
    rows = Container.objects.visible_to(user).select_related("host").filter(host__enabled=True)
    container = rows.filter(engine_id=task.container_id, host__member__swarm=task.swarm_id).first()
    return Log.of(container) if container else logs_of_tasks([task])[0]


def find_logs(user: Any, names: list[str]) -> list[Log | None]:
    """The logs called HOST/CONTAINER, or NODE/TASK with the task's whole id, in this order; None for one that `user` does
    not see."""
    found = [Log.of(row) if row else None for row in find_containers(user, names)]
    missing = {name.partition("/")[2] for name, log in zip(names, found, strict=True) if log is None}
    tasks = Task.objects.visible_to(user).filter(engine_id__in=missing).exclude(container_id="") if missing else []
    known = {log.ref: log for log in logs_of_tasks(list(tasks))} if missing else {}
    return [log or known.get(name) for name, log in zip(names, found, strict=True)]


def get_log(user: Any, name: str, right: Any) -> Log:
    """The log called as in `find_logs`. Raises NotFound, and Denied."""
    found = find_logs(user, [name])[0]
    if found is None or not found.is_task:
        host, _, ref = name.partition("/")
        return Log.of(get_container(user, host, ref, right))
    if not may(user, right, found):
        raise Denied
    return found
