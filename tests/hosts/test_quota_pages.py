"""Pages of quotas: who sees them, what they show, and how they are set."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, Membership, Quota, Team
from accounts.rights import Role
from hosts.models import Container, Host, Pull, Reservation
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
GIB = 1024**3


@pytest.fixture
def north(client: Client) -> Team:
    """A team with a quota on a host, a container there, and a member; the admin is logged in."""
    dock, team = a_host("dock"), Team.objects.create(name="north")
    Host.objects.update(cpus=8, memory=16 * GIB)
    Grant.objects.create(team=team, role=Role.DEPLOYER, host=dock, own=True)
    Membership.objects.create(team=team, user=person("nils", "member"))
    Quota.objects.create(team=team, host=dock, containers=4, cpus=4, memory=8 * GIB, by_name="ada")
    client.force_login(person("ada", "admin"))
    return team


def a_container(team: Team, name: str = "web", **values: Any) -> Container:
    dock = Host.objects.get(name="dock")
    return Container.objects.create(
        host=dock,
        name=name,
        engine_id=(name * 8)[:64],
        image="a",
        image_id="b",
        state="running",
        seen=dock.added,
        owner=team,
        **values,
    )


def text(client: Client, path: str, name: str = "") -> str:
    if name:
        client.force_login(person(name, "member"))
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_a_page_shows_what_is_used_what_is_left_and_by_what(client: Client, north: Team) -> None:
    a_container(north, nano_cpus=500_000_000, memory_limit=GIB, pids_limit=100, ports_published=2)
    a_container(north, "old", nano_cpus=0, memory_limit=0, pids_limit=0, ports_published=0)
    page = text(client, "/quotas/north/")
    assert "2 of 4" in page and "2 left" in page
    assert "8.5 of 4" in page and "0 left" in page  # what has no limit has all eight of its host
    assert "17 GiB of 8.0 GiB" in page and "no limit" in page and "1.0 GiB" in page


def test_no_name_keeps_a_container_from_being_counted(client: Client, north: Team) -> None:
    """Helpers of ours are no part of a quota; a database may take large letters for small ones."""
    for name in ("Dermaga-files-1", "DERMAGA-FILES-2", "dermaga-files-3"):
        a_container(north, name, nano_cpus=1, memory_limit=1, pids_limit=1, ports_published=0)
    assert "2 of 4" in text(client, "/quotas/north/")


def test_what_is_being_made_counts_until_it_shows(client: Client, north: Team) -> None:
    dock, soon = Host.objects.get(name="dock"), timezone.now() + timedelta(seconds=50)
    held = Reservation.objects.create(team=north, host=dock, amount={"containers": 1, "cpus": 10**9}, until=soon)
    assert "1 of 4" in text(client, "/quotas/north/")
    # it is in the table, and its limits are not read yet
    row = a_container(north)
    Reservation.objects.filter(pk=held.pk).update(key=row.engine_id)
    page = text(client, "/quotas/north/")
    assert page.count("1 of 4") == 2  # one container, one CPU
    Reservation.objects.update(until=dock.added)
    assert "8 of 4" in text(client, "/quotas/north/")


def test_members_see_their_own_and_others_nothing(client: Client, north: Team) -> None:
    rival = Team.objects.create(name="rival")
    Quota.objects.create(team=rival, containers=1)
    Pull.objects.create(team=north, host=Host.objects.get(name="dock"), image="a", by_name="nils")
    client.force_login(Membership.objects.get().user)
    page = text(client, "/quotas/")
    assert "north on dock" in page and "rival" not in page and "Edit" not in page
    assert "pulled 1 image in 24 hours" in text(client, "/quotas/north/")
    assert client.get("/quotas/rival/").status_code == client.get("/quotas/nobody/").status_code == 404
    for path in ("edit", "remove"):
        assert client.post(f"/quotas/north/{path}/", {"host": "dock"}).status_code == 403
    assert Quota.objects.count() == 2


def test_who_manages_one_host_sets_quotas_there_and_nowhere_else(client: Client, north: Team) -> None:
    a_host("other")
    holly = person("holly", "member")
    Grant.objects.create(user=holly, role=Role.HOST_ADMIN, host=Host.objects.get(name="dock"))
    client.force_login(holly)
    Pull.objects.create(team=north, host=Host.objects.get(name="other"), image="a", by_name="somebody-elsewhere")
    Pull.objects.create(team=north, host=Host.objects.get(name="dock"), image="a", by_name="somebody-here")
    page = text(client, "/quotas/north/")
    assert "somebody-here" in page and "somebody-elsewhere" not in page
    assert "north on dock" in text(client, "/quotas/?host=dock")
    assert client.post("/quotas/north/edit/", {"host": "dock", "containers": "9"}).status_code == 302
    assert Quota.objects.get().containers == 9
    assert client.post("/quotas/north/edit/", {"host": "other", "containers": "9"}).status_code == 404
    assert client.post("/quotas/north/edit/", {"containers": "9"}).status_code == 404  # all hosts together
    assert client.post("/quotas/north/remove/", {"host": "dock"}).status_code == 302
    assert not Quota.objects.exists()
    assert "Set one for north" in text(client, "/quotas/?host=dock")


def test_a_form_takes_sizes_and_says_at_its_field_what_is_wrong(client: Client, north: Team) -> None:
    sent = {"host": "dock", "containers": "10", "cpus": "1.5", "memory": "2g", "default_memory": "256m", "pids": ""}
    assert client.post("/quotas/north/edit/", sent).status_code == 302
    quota = Quota.objects.get()
    assert (quota.containers, quota.cpus, quota.memory, quota.default_memory) == (10, 1.5, 2 * GIB, 256 * 1024**2)
    assert 'value="2g"' in text(client, "/quotas/north/edit/?host=dock")
    for name, value in (
        *(("containers", "many"), ("containers", "-1"), ("containers", "1.5"), ("cpus", "x"), ("cpus", "-1")),
        *(
            ("memory", "lots"),
            ("memory", "-1"),
            ("default_memory", "1m"),
            ("jobs", "99999999999"),
            ("cpus", "nan"),
            ("default_cpus", "0.001"),
        ),
    ):
        answer = client.post("/quotas/north/edit/", sent | {name: value})
        assert answer.status_code == 422, (name, value)
        assert f'id="id_{name}"' in answer.content.decode() and "aria-invalid" in answer.content.decode(), (name, value)
        assert f'value="{value}"' in answer.content.decode()
    empty = client.post("/quotas/north/edit/", {"host": "dock"})
    assert empty.status_code == 422 and "Give at least one bound" in empty.content.decode()
    assert Quota.objects.get().containers == 10
