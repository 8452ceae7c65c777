"""What the services of teams count: by their specifications, each task as a container. How a swarm spreads them is its own
affair, so that a service counts on each of its hosts with as many as may run there."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.fields.json import KT

from hosts.engine.parse.service_tasks import Tasks, tasks_of
from hosts.models import Container, Host, Node, Reservation, Service, SwarmMember
from hosts.models.containers import STOPPED
from hosts.models.owners import SWARM_SERVICE_ID
from hosts.policy.allotted import Allotted, allotted
from hosts.quotas.amounts import Amount, Size, of_container, of_row

OF_SERVICE = KT(f"labels__{SWARM_SERVICE_ID}")


@dataclass(frozen=True)
class Fleet:
    """What of a swarm decides how much its services count: how many nodes it has, and the sizes of its hosts by key."""

    nodes: int
    sizes: dict[int, Size]

    @property
    def biggest(self) -> Size:
        """As much of each as one of its hosts has at most."""
        sizes = self.sizes.values()
        return Size(
            max((one.cpus or 0 for one in sizes), default=0), max((one.memory or 0 for one in sizes), default=0)
        )


def fleets(swarms: Iterable[int]) -> dict[int, Fleet]:
    """Of these swarms, by key."""
    sizes: dict[int, dict[int, Size]] = {key: {} for key in swarms}
    members = SwarmMember.objects.filter(swarm__in=sizes).order_by()
    for swarm, host, cpus, memory in members.values_list("swarm", "host", "host__cpus", "host__memory"):
        sizes[swarm][host] = Size(cpus, memory)
    nodes = dict(Node.objects.filter(swarm__in=sizes).order_by().values_list("swarm").annotate(Count("pk")))
    return {key: Fleet(max(nodes.get(key, 0), len(found)), found) for key, found in sizes.items()}


def limits_of(tasks: Tasks) -> dict[str, int]:
    """What a task may use at most, by the names of an Amount; 0 is no limit."""
    found = _allotted(tasks)
    return {"cpus": found.nano_cpus, "memory": found.memory, "pids": found.pids}


def _allotted(tasks: Tasks) -> Allotted:
    return allotted({"NanoCpus": tasks["nano_cpus"], "Memory": tasks["memory"], "PidsLimit": tasks["pids"]})


def of_task(tasks: Tasks, size: Size) -> Amount:
    """One task. Where it says no limit it counts as all of a host of that size."""
    return of_container(size, _allotted(tasks)) + Amount(ports=tasks["ports_of_task"])


def number_of(tasks: Tasks, fleet: Fleet, host: Host | None = None) -> int:
    """How many tasks count on the host: as many as may run there; without one all of them."""
    number = tasks["tasks"]
    if number is None:
        return 1 if host else fleet.nodes
    return min(number, tasks["on_a_node"] or number) if host and tasks["mode"] == "replicated" else number


def of_tasks(tasks: Tasks, fleet: Fleet, host: Host | None = None) -> Amount:
    """All that counts on the host, which is in the swarm; without one in all."""
    size = fleet.sizes.get(host.pk, Size()) if host else fleet.biggest
    return of_task(tasks, size).times(number_of(tasks, fleet, host)) + Amount(ports=tasks["ports"])


@dataclass(frozen=True)
class Counted:
    """A service, and what it counts on a host, or in all."""

    service: Service
    tasks: Tasks
    fleet: Fleet
    host: Host | None

    @property
    def number(self) -> int:
        """How many tasks count."""
        return number_of(self.tasks, self.fleet, self.host)

    @property
    def limits(self) -> dict[str, int]:
        """What each may use at most; 0 is no limit."""
        return limits_of(self.tasks)

    @property
    def amount(self) -> Amount:
        """By its specification."""
        return of_tasks(self.tasks, self.fleet, self.host)


def services_of(team: int, host: Host | None = None) -> QuerySet[Service]:
    """Those that count; on a host those of its swarm."""
    rows = Service.objects.filter(owner=team).select_related("swarm")
    rows = rows.only("engine_id", "name", "data", "owner", "swarm__name").order_by("name", "pk")
    return rows.filter(swarm__members__host=host) if host else rows


def told(service: Service) -> Tasks:
    """Of a row; one that an older release has read has it in its specification alone."""
    found: Tasks | None = service.data.get("tasks")
    return found or tasks_of(service.spec)


def counted(services: Iterable[Service], host: Host | None = None) -> list[Counted]:
    """What each of them counts."""
    rows = list(services)
    found = fleets({row.swarm_id for row in rows}) if rows else {}
    return [Counted(row, told(row), found[row.swarm_id], host) for row in rows]


# ---------------------------------------------------------------- their containers
def apart_from_tasks(rows: QuerySet[Container]) -> QuerySet[Container]:
    """Without the containers of tasks that count with a service of the same team. No other container has the label of
    one: who makes it for a team may not write it (hosts.owning.check_labels_of)."""
    return rows.annotate(of_service=OF_SERVICE).exclude(_counts_elsewhere())


def running_tasks(rows: QuerySet[Container]) -> QuerySet[Container]:
    """Those containers of tasks that run, each with the id of its service as `of_service`."""
    return rows.annotate(of_service=OF_SERVICE).filter(_counts_elsewhere()).exclude(state__in=STOPPED)


def _counts_elsewhere() -> Exists:
    of_host = Service.objects.filter(swarm__members__host=OuterRef("host"))
    return Exists(of_host.filter(owner=OuterRef("owner"), engine_id=OuterRef("of_service")).order_by())


def of_services(
    services: list[Counted], running: Iterable[Container], held: Iterable[Reservation], host: Host | None, without: str
) -> Amount:
    """What they count with what is being made or changed. More than a specification says counts too as long as it runs:
    what an update starts before it stops others, and what takes long to stop; this also `without` the service of that id."""
    runs: dict[str, Amount] = defaultdict(Amount)
    known = {one.service.engine_id: one for one in services}
    for row in {row.engine_id: row for row in running}.values():  # an engine may be two hosts
        one = known.get(row.of_service)  # type: ignore[attr-defined]
        if one is not None:
            size = Size(row.host.cpus, row.host.memory)
            # its limits may not be read yet
            runs[one.service.engine_id] += of_task(one.tasks, size) if row.nano_cpus is None else of_row(row)
    found = {key: one.amount.most(runs[key]) for key, one in known.items()}
    if without in found:
        found[without] = found[without].beyond(known[without].amount)
    making = [(reservation, reservation.swarm_id) for reservation in held if reservation.swarm_id]
    of_swarm = fleets({swarm for _reservation, swarm in making}) if making else {}
    for reservation, swarm in making:
        key = reservation.key or f"new {reservation.pk}"
        found[key] = found.get(key, Amount()).most(of_tasks(reservation.amount, of_swarm[swarm], host))
    return sum(found.values(), Amount())
