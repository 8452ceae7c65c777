"""Downloads of logs: a range, as text or ndjson, of one container or of several in order of time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from hosts.engine.endpoint import Endpoint
from hosts.engine.logs import LogQuery
from hosts.engine.merge import Part, iter_merged_download
from hosts.engine.targets import Target
from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, container_json, containers, person

SCRIPT = "i=0; while [ $i -lt 300 ]; do echo %s $i; i=$((i+1)); usleep 1000; done"


@pytest.fixture(scope="module")
def two(docker_engine: DockerEngine) -> Iterator[list[Part]]:
    names = ["quay-left", "quay-right"]
    for name in names:
        docker_engine.docker("run", "-d", "--name", name, "busybox", "sh", "-c", SCRIPT % name)
    docker_engine.docker("wait", *names)
    ids = [docker_engine.docker("inspect", "-f", "{{.Id}}", name).strip() for name in names]
    yield [Part("harbour", name, Target(Endpoint(docker_engine.url), id)) for name, id in zip(names, ids, strict=True)]
    docker_engine.docker("rm", "-f", *names)


async def whole(parts: list[Part], query: LogQuery | None = None, **options: bool) -> list[str]:
    blocks = [block async for block in iter_merged_download(parts, query or LogQuery(), **options)]
    return b"".join(blocks).decode().splitlines()


async def test_several_logs_are_one_in_order_of_time(two: list[Part]) -> None:
    lines = await whole(two)
    assert len(lines) == 600
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    for part in two:
        own = [line.split(" ", 2)[2] for line in lines if f" harbour/{part.name} " in line]
        assert own == [f"{part.name} {number}" for number in range(300)]


async def test_a_range_as_ndjson(two: list[Part]) -> None:
    entries = [json.loads(line) for line in await whole(two, ndjson=True)]
    since, until = entries[100]["time"], entries[499]["time"]
    part = [json.loads(line) for line in await whole(two, LogQuery("all", since, until), ndjson=True)]
    assert part == entries[100:500]
    assert set(part[0]) == {"host", "container", "stream", "time", "text"}


async def test_a_log_that_cannot_be_read_is_a_line_that_says_so(two: list[Part]) -> None:
    lost = Part("sunk", "web", Target(Endpoint("tcp://127.0.0.1:9"), "0" * 64, "1.41"))
    lines = await whole([lost, *two], timestamps=False)
    (said,) = [line for line in lines if line.startswith("# sunk/web: ")]
    assert len(lines) == 601 and len(said) > 20
    entries = [json.loads(line) for line in await whole([lost], ndjson=True)]
    assert entries[0]["error"] and entries[0]["reason"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "status"),
    [("since=noon", 422), ("until=x", 422), ("tail=many", 422), ("format=xml", 422)],
)
def test_what_is_no_range_is_refused(client: Client, query: str, status: int) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("vera", "viewer"))
    for path in ("/containers/quay/web/logs/download/", "/logs/download/"):
        assert client.get(f"{path}?target=quay/web&{query}").status_code == status


@pytest.mark.django_db
def test_a_choice_of_nothing_has_no_download(client: Client) -> None:
    client.force_login(person("vera", "viewer"))
    assert client.get("/logs/download/?target=quay/nobody").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_the_page_gives_both(two: list[Part], docker_engine: DockerEngine) -> None:
    from django.test import AsyncClient

    from tests.hosts.consumers.sockets import a_person, mirror

    await mirror(docker_engine)
    client = AsyncClient()
    await client.aforce_login(await a_person("viewer"))
    answer: Any = await client.get("/logs/download/?target=harbour/quay-left&target=harbour/quay-right&format=ndjson")
    assert answer["Content-Disposition"] == 'attachment; filename="logs.ndjson"'
    body = b"".join([block async for block in answer.streaming_content])
    assert body.count(b"\n") == 600
    single: Any = await client.get("/containers/harbour/quay-left/logs/download/?timestamps=1&tail=10")
    lines = b"".join([block async for block in single.streaming_content]).decode().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [f"quay-left {number}" for number in range(290, 300)]
