"""The quota of the team that a service of a swarm is for, around each request that makes one or changes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.models import Quota, Team
from common.errors import QuotaExceeded
from hosts.engine.errors import EngineError
from hosts.engine.parse.service_tasks import Tasks, tasks_of
from hosts.engine.parse.services import service_row
from hosts.inventory import swarms
from hosts.models import Reservation, Service, Swarm, SwarmMember
from hosts.models.owners import TEAM_LABEL
from hosts.quotas.allotting import WHILE_ASKED, Held, error_of, holding, one_at_a_time, over
from hosts.quotas.amounts import WORDS, Amount
from hosts.quotas.asks import Asks
from hosts.quotas.tasks import Fleet, fleets, limits_of, of_task, of_tasks, told
from hosts.quotas.usage import used

NUMBERS = {"replicated": "mode.replicas", "replicated-job": "mode.concurrent"}
MANY = gettext_noop(
    "The quota of the team %(team)s on %(place)s does not suffice. Containers: %(used)s of %(most)s, and of this service "
    "%(wanted)s tasks may run there."
)
UNBOUND = {  # of one whose tasks say no limit
    "cpus": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. CPUs: %(used)s of %(most)s are given out, and a task "
        "without a limit counts as all of its host. Give it a limit."
    ),
    "memory": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. Memory: %(used)s of %(most)s are given out, and a "
        "task without a limit counts as all of its host. Give it a limit."
    ),
    "pids": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. Processes: %(used)s of %(most)s are given out, and "
        "a task without a limit counts as all that a host can have. Give it a limit."
    ),
}
Body = Mapping[str, Any]


def team_of(spec_body: Body) -> int | None:
    """The key of the team whose a service of this Spec is, by its label; None where that names none."""
    labels = spec_body.get("Labels")
    name = str((labels.get(TEAM_LABEL) if isinstance(labels, Mapping) else "") or "")
    return Team.objects.filter(name=name).values_list("pk", flat=True).first() if name and "\0" not in name else None


def _quotas_in(team: int | None, swarm: Swarm) -> list[Quota]:
    """Those that bound what the team has in the swarm: of each of its hosts, then the one for all hosts."""
    if team is None:
        return []
    there = Q(host__member__swarm=swarm) | Q(host=None)
    rows = list(Quota.objects.select_related("team", "host").filter(there, team=team).order_by("host__name"))
    return sorted(rows, key=lambda quota: quota.host_id is None)


# ---------------------------------------------------------------- comparing
def _check(team: int | None, swarm: Swarm, spec_body: Body, old: Service | None, number: str = "") -> None:
    quotas = _quotas_in(team, swarm)
    if not quotas:
        return
    fleet, wants = fleets([swarm.pk])[swarm.pk], tasks_of(spec_body)
    had = told(old) if old is not None and old.owner_id == team else None
    without = old.engine_id if old is not None and had else ""
    errors = [error for quota in quotas for error in _over(quota, fleet, wants, had, without, number)]
    if errors:
        errors[0].others = list(errors[1:])
        raise errors[0]


def _over(
    quota: Quota, fleet: Fleet, wants: Tasks, had: Tasks | None, without: str, number: str
) -> Iterator[QuotaExceeded]:
    wanted = of_tasks(wants, fleet, quota.host)
    before = of_tasks(had, fleet, quota.host) if had else Amount()
    has = used(quota.team_id, quota.host, without=without)
    for name in over(quota, wanted, before, has):
        is_number = name == "containers" or (had is not None and not _is_more(name, wants, had, fleet))
        field = number or (_number_field(wants) if is_number else WORDS[name].field)
        template = MANY if name == "containers" else ""
        if not is_number and name in UNBOUND and not limits_of(wants)[name]:
            template = UNBOUND[name]
        yield error_of(quota, name, getattr(has, name), getattr(wanted, name), template, field)


def _is_more(name: str, wants: Tasks, had: Tasks, fleet: Fleet) -> bool:
    """Whether each task has more than before; where it has not, it is their number that is too great."""
    now, before = (of_task(one, fleet.biggest) + Amount(ports=one["ports"]) for one in (wants, had))
    return bool(getattr(now, name) > getattr(before, name))


def _number_field(wants: Tasks) -> str:
    return NUMBERS.get(wants["mode"], "name") if wants["tasks"] != 1 else "name"


def check_service_now(
    actor: Any,
    team: int | None,
    swarm: Swarm,
    spec_body: Body,
    action: str,
    target: str,
    old: Service | None = None,
    *,
    number: str = "",
) -> None:
    """Before there is a job: who asked hears it at once, and it is in the audit. `spec_body`: the Spec that a service would
    have, which is `old` now; None makes one. `number`: the field that alone is changed, where all that is too much is
    said. Raises QuotaExceeded for fields of hosts.specs.services, with the others in `others`."""
    try:
        _check(team, swarm, spec_body, old, number)
    except QuotaExceeded as error:
        detail = {"reason": error.code, "what": sorted({str(one.params["what"]) for one in (error, *error.others)})}
        record(actor, action, target, host=swarm.name, outcome="refused", detail=detail)
        raise


# ---------------------------------------------------------------- around a request
@contextmanager
def service_allotted(
    team: int | None, swarm: Swarm, spec_body: Body, old: Service | None = None
) -> Iterator[Held | None]:
    """Around the request that makes or changes a service of the team, and around its coming into the table; where that
    fails the block says `later`. None: nothing bounds it. Raises QuotaExceeded as `check_service_now`."""
    if team is None or not _quotas_in(team, swarm):
        yield None
        return
    now = timezone.now()
    with one_at_a_time(team):
        Reservation.objects.filter(until__lt=now).delete()
        _check(team, swarm, spec_body, old)
        key = old.engine_id if old is not None else ""
        amount, until = dict(tasks_of(spec_body)), now + WHILE_ASKED
        row = Reservation.objects.create(team_id=team, swarm=swarm, amount=amount, key=key, until=until)
    with holding(row) as held:
        yield held


@contextmanager
def on_service(asks: Asks, ref: str, params: Mapping[str, str] | None, body: Body | None) -> Iterator["Shown"]:
    """Around a request that makes a service, or changes that of the id `ref`. Whose it is says the label of the Spec that it
    will have, whoever asks. Tell what it gives the engine's answer."""
    member = SwarmMember.objects.select_related("swarm").filter(host=asks.host, swarm__isnull=False).first()
    swarm = member.swarm if member else None
    if (params or {}).get("rollback"):  # the engine takes the specification before, whatever is sent
        body = (asks.find(f"/services/{ref}") or {}).get("PreviousSpec")
    team = team_of(body or {})
    if swarm is None or team is None:
        yield Shown(asks, None)
        return
    old = Service.objects.filter(swarm=swarm, engine_id=unquote(ref)).first() if ref else None
    with service_allotted(team, swarm, body or {}, old) as held:
        yield Shown(asks, held, swarm, unquote(ref), team)


class Shown:
    """Puts what an engine made or changed into the table, where something is held for it."""

    def __init__(
        self, asks: Asks, held: Held | None, swarm: Swarm | None = None, changed: str = "", team: int | None = None
    ) -> None:
        self._asks, self._held, self._swarm, self._changed, self._team = asks, held, swarm, changed, team

    def answered(self, answer: Any) -> None:
        """The engine did it."""
        if self._held is None or self._swarm is None:
            return
        key = self._changed or str((answer or {}).get("ID") or "")
        row = None
        with suppress(EngineError):
            row = service_row(self._asks.find(f"/services/{key}"))
        if row is not None:
            swarms.apply_objects(self._swarm, "service", [row], only={key})
        if row is None or not Service.objects.filter(swarm=self._swarm, engine_id=key, owner=self._team).exists():
            self._held.later(key)
