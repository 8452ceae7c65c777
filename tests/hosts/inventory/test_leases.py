"""Leases: hosts are shared out evenly, those of a dead process move on, and nobody writes without one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hosts.inventory import leases
from hosts.models import Host, WatchProcess

pytestmark = [pytest.mark.django_db, pytest.mark.core]


def hosts(count: int) -> None:
    for number in range(count):
        Host.objects.create(name=f"host-{number}", url=f"tcp://127.0.0.1:{2000 + number}", kind="tcp")


def owners() -> dict[str, int]:
    found: dict[str, int] = {}
    for owner in Host.objects.values_list("lease_owner", flat=True):
        found[owner] = found.get(owner, 0) + 1
    return found


def later(seconds: float) -> None:
    """Time passes: what is stored gets older."""
    ago = timedelta(seconds=seconds)
    for host in Host.objects.exclude(lease_until=None):
        Host.objects.filter(pk=host.pk).update(lease_until=host.lease_until - ago)
    for process in WatchProcess.objects.all():
        WatchProcess.objects.filter(pk=process.pk).update(seen=process.seen - ago)


def test_a_lone_process_takes_all() -> None:
    hosts(5)
    assert len(leases.take("a").mine) == 5


def test_a_second_process_gets_its_share_and_nobody_has_a_host_twice() -> None:
    hosts(5)
    leases.take("a")
    assert leases.take("b").mine == {}  # all are taken, but its row says now that it lives
    surplus = leases.take("a").surplus
    assert len(surplus) == 2
    leases.give_back("a", surplus)
    assert set(leases.take("b").mine) == set(surplus)
    assert leases.take("a").surplus == []
    assert owners() == {"a": 3, "b": 2}


def test_the_hosts_of_a_dead_process_move_when_its_lease_ends() -> None:
    hosts(4)
    leases.take("a")
    leases.take("b")
    leases.give_back("a", leases.take("a").surplus)
    assert len(leases.take("b").mine) == 2
    later(7)
    leases.take("b")  # renews; a is dead
    later(6)
    assert len(leases.take("b").mine) == 4


def test_one_that_stops_gives_back_at_once() -> None:
    hosts(2)
    leases.take("a")
    leases.give_back("a")
    assert not WatchProcess.objects.exists()
    assert len(leases.take("b").mine) == 2


def test_nothing_is_written_without_the_lease() -> None:
    hosts(1)
    host = Host.objects.get()
    leases.take("a")
    written: list[str] = []
    leases.fenced("a", host.pk, written.append, "by a")
    later(13)
    leases.take("b")
    with pytest.raises(leases.LeaseLost):
        leases.fenced("a", host.pk, written.append, "by a, too late")
    leases.fenced("b", host.pk, written.append, "by b")
    assert written == ["by a", "by b"]


def test_nothing_is_written_about_a_host_that_is_gone() -> None:
    hosts(1)
    host = Host.objects.get()
    leases.take("a")
    key = host.pk
    host.delete()
    with pytest.raises(leases.LeaseLost):
        leases.fenced("a", key, pytest.fail, "written")


def test_a_disabled_host_is_nobodys() -> None:
    hosts(2)
    leases.take("a")
    Host.objects.filter(name="host-0").update(enabled=False)
    assert len(leases.take("a").mine) == 1
    disabled = Host.objects.get(name="host-0")
    assert (disabled.state, disabled.lease_owner) == ("disabled", "")
    assert disabled.since > timezone.now() - timedelta(minutes=1)
