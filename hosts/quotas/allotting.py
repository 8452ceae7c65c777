"""Whether a team may have more, asked before an engine is: what is granted is held until the table has it.

All that asks for the same team goes one after another, so that two requests cannot both have the last of something.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Quota, Team
from common.errors import QuotaExceeded
from hosts.engine.answers import Answered
from hosts.models import Container, Host, Pull, Reservation
from hosts.quotas.amounts import NAMES, UNBOUND, WORDS, Amount, bound, of_row
from hosts.quotas.usage import A_DAY, pulls_of, used
from hosts.specs.spec import ContainerSpec

WHILE_ASKED = timedelta(minutes=10)  # longer than an engine is waited for
UNTIL_SHOWN = timedelta(seconds=60)  # what was made is in the table by then


class Held:
    """A part of a quota that is held while an engine is asked."""

    def __init__(self, pk: int) -> None:
        self._pk = pk
        self.is_open = True

    def later(self, key: str = "") -> None:
        """What was asked for may be there, under this key, and is not in the table yet."""
        self.is_open = False
        Reservation.objects.filter(pk=self._pk).update(
            **({"key": key[:255]} if key else {}), until=timezone.now() + UNTIL_SHOWN
        )

    def end(self) -> None:
        """It is in the table, or was not made."""
        self.is_open = False
        Reservation.objects.filter(pk=self._pk).delete()


def quotas_of(team: int | None, host: Host) -> list[Quota]:
    """Those that bound what the team has on the host: the host's, then the one for all hosts."""
    if team is None:
        return []
    rows = Quota.objects.select_related("team", "host").filter(team=team)
    return [quota for quota in rows if quota.host_id == host.pk] + [quota for quota in rows if quota.host_id is None]


def check(team: int | None, host: Host, wants: Amount, *, unbound: frozenset[str] = frozenset(), old: str = "") -> None:
    """Raises QuotaExceeded, with the others in `others`, when the team may not have that as well. `old`: the id of the
    container that it takes the place of, or that is changed; of what that has already nothing is refused. `unbound`:
    bounds of which the container says no limit."""
    errors = [error for quota in quotas_of(team, host) for error in _over(quota, wants, unbound, old)]
    if errors:
        errors[0].others = list(errors[1:])
        raise errors[0]


def _over(quota: Quota, wants: Amount, unbound: frozenset[str], old: str) -> Iterator[QuotaExceeded]:
    row = Container.objects.select_related("host").filter(owner=quota.team_id, engine_id=old).first() if old else None
    had, has = of_row(row) if row else Amount(), used(quota.team_id, quota.host, without=old)
    for name in over(quota, wants, had, has):
        wanted = getattr(wants, name) if name != "volume_bytes" else 0
        yield error_of(quota, name, getattr(has, name), wanted, UNBOUND[name] if name in unbound else "")


def over(quota: Quota, wants: Amount, had: Amount, has: Amount) -> Iterator[str]:
    """The names of the bounds that do not suffice for something: it `had` so much, and all else of the team `has` that."""
    for name in NAMES:
        most, wanted = bound(quota, name), getattr(wants, name)
        if most is None:
            continue
        if name == "volume_bytes":  # how much will be in them nobody knows
            if wants.volumes and has.volume_bytes >= most:
                yield name
        elif wanted > getattr(had, name) and getattr(has, name) + wanted > most:
            yield name


def error_of(quota: Quota, name: str, has: int, wanted: int, template: str = "", field: str = "") -> QuotaExceeded:
    """That a bound does not suffice, in the words of that and at its field unless others are given."""
    words, most = WORDS[name], bound(quota, name) or 0
    params = {
        "team": quota.team.name,
        "place": quota.host.name if quota.host else "",
        "what": name,
        "most": words.show(most),
        "used": words.show(has),
        "wanted": words.show(wanted),
    }
    return QuotaExceeded(field or words.field, template or words.refused, params)


@contextmanager
def allotted(
    team: int | None, host: Host, wants: Amount, *, unbound: frozenset[str] = frozenset(), old: str = ""
) -> Iterator[Held | None]:
    """Around the request that makes something for the team, and around its coming into the table; where that fails the
    block says `later`. None: nothing bounds it. Raises QuotaExceeded as `check` does."""
    if team is None or not quotas_of(team, host):
        yield None
        return
    now = timezone.now()
    with one_at_a_time(team):
        Reservation.objects.filter(until__lt=now).delete()
        check(team, host, wants, unbound=unbound, old=old)
        row = Reservation.objects.create(
            team_id=team, host=host, amount=wants.as_json(), key=old, until=now + WHILE_ASKED
        )
    with holding(row) as held:
        yield held


@contextmanager
def holding(row: Reservation) -> Iterator[Held]:
    """Around the request that the reservation is for."""
    held = Held(row.pk)
    try:
        yield held
    except Answered:  # it says that it did not
        held.end()
        raise
    except BaseException:
        if held.is_open:
            held.later()
        raise
    if held.is_open:
        held.end()


@contextmanager
def one_at_a_time(team: int) -> Iterator[None]:
    """What asks for the same team waits until the block is over."""
    with transaction.atomic():
        list(Team.objects.select_for_update().filter(pk=team))
        yield


@contextmanager
def pulling(team: int | None, host: Host, by_name: str, image: str) -> Iterator[None]:
    """Around a pull for the team; one that fails does not count. Raises QuotaExceeded."""
    if team is None or not any(quota.pulls is not None for quota in quotas_of(team, host)):
        yield
        return
    with one_at_a_time(team):
        Pull.objects.filter(time__lt=timezone.now() - A_DAY).delete()
        for quota in quotas_of(team, host):
            has = pulls_of(quota.team_id, quota.host).count()
            if quota.pulls is not None and has >= quota.pulls:
                raise error_of(quota, "pulls", has, 1)
        pull = Pull.objects.create(team_id=team, host=host, image=image[:500], by_name=by_name)
    try:
        yield
    except BaseException:
        pull.delete()
        raise


def with_defaults(spec: ContainerSpec, team: int | None, host: Host) -> ContainerSpec:
    """The specification with the team's default limits where it says none."""
    limits = spec.limits
    for quota in quotas_of(team, host):
        if quota.default_cpus and not (limits.cpus or limits.cpu_quota or limits.cpuset_cpus):
            limits = replace(limits, cpus=quota.default_cpus)
        if quota.default_memory and not limits.memory:
            limits = replace(limits, memory=quota.default_memory)
        if quota.default_pids and limits.pids <= 0:
            limits = replace(limits, pids=quota.default_pids)
    return replace(spec, limits=limits)
