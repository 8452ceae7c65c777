"""SQLite's notes on its tables: a page of a long list is read along an index, not sorted out of all rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Grant
from accounts.rights import Role
from hosts.inventory.planner import note_sizes
from hosts.models import Container
from tests.rows import a_host, container_json, containers, person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes notes by itself"),
]
STATES = ("running", "exited", "paused", "created")
NEWEST = Container.objects.filter(state="running").order_by("-created", "-pk").values_list("pk", flat=True)[:50]


@pytest.fixture(autouse=True)
def no_notes(transactional_db: None) -> Iterator[None]:
    """The table of notes is there and empty."""
    forget()
    yield
    forget()


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hosts_image")
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_master")  # reads them again


def plan() -> str:
    """How the newest running containers are found."""
    return str(NEWEST.explain())


def test_it_notes_sizes_once_they_have_doubled() -> None:
    host = a_host()
    containers(host, *(container_json(f"web-{n}", Id=f"{n:064x}", Created=1_760_000_000 + n) for n in range(250)))
    assert "TEMP B-TREE" in plan()
    assert note_sizes() == ["hosts_container"]
    assert "TEMP B-TREE" not in plan()
    assert note_sizes() == []
    containers(host, *(container_json(f"web-{n}", Id=f"{n:064x}", Created=1_760_000_000 + n) for n in range(600)))
    assert note_sizes() == ["hosts_container"]


def test_connections_that_are_open_already_follow_the_notes() -> None:
    containers(a_host(), *(container_json(f"web-{n}", Id=f"{n:064x}", Created=1_760_000_000 + n) for n in range(250)))
    newest = """EXPLAIN QUERY PLAN SELECT id FROM hosts_container WHERE state = 'running'
                ORDER BY created DESC, id DESC LIMIT 50"""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        assert "TEMP B-TREE" in str(other.execute(newest).fetchall())
        assert note_sizes() == ["hosts_container"]
        other.execute("SELECT count(*) FROM hosts_container").fetchone()  # to explain alone does not look at the file
        assert "TEMP B-TREE" not in str(other.execute(f"{newest} -- not the prepared one").fetchall())


@pytest.mark.parametrize("who", ["viewer", "member"])
def test_what_a_search_finds_is_counted_along_an_index(client: Client, who: Role) -> None:
    """A later migration that makes the table anew would lose it: Django does not know of it. For a member it has
    the keys of hosts and owners too, or the hosts' index is taken and each row is read."""
    hosts = [a_host(f"quay-{n}") for n in range(4)]
    for host in hosts:
        containers(host, *(container_json(f"web-{n}", Id=f"{n:064x}", State=STATES[n % 4]) for n in range(200)))
    note_sizes()
    vera = person("vera", who)
    if who == Role.MEMBER:
        for host in hosts[:3]:
            Grant.objects.create(user=vera, role=Role.VIEWER, host=host, by_name="test")
    client.force_login(vera)
    with CaptureQueriesContext(connection) as asked:
        client.get("/containers/?state=running&search=web")
    (count,) = [query["sql"] for query in asked if "COUNT" in query["sql"] and "words" in query["sql"]]
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        assert "USING INDEX hosts_container_state_words" in str(other.execute(f"EXPLAIN QUERY PLAN {count}").fetchall())
