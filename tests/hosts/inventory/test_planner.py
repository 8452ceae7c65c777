"""SQLite's notes on its tables: a page of a long list is read along an index, not sorted out of all rows."""

import pytest
from django.db import connection

from hosts.inventory.planner import note_sizes
from hosts.models import Container
from tests.rows import a_host, container_json, containers

pytestmark = [pytest.mark.django_db, pytest.mark.core]
NEWEST = Container.objects.filter(state="running").order_by("-created", "-pk").values_list("pk", flat=True)[:50]


def plan() -> str:
    """How the newest running containers are found."""
    return str(NEWEST.explain())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes notes by itself")
def test_it_notes_sizes_once_they_have_doubled() -> None:
    host = a_host()
    containers(host, *(container_json(f"web-{n}", Id=f"{n:064x}", Created=1_760_000_000 + n) for n in range(250)))
    assert "TEMP B-TREE" in plan()
    assert note_sizes() == ["hosts_container"]
    assert "TEMP B-TREE" not in plan()
    assert note_sizes() == []
    containers(host, *(container_json(f"web-{n}", Id=f"{n:064x}", Created=1_760_000_000 + n) for n in range(600)))
    assert note_sizes() == ["hosts_container"]
