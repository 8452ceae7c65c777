"""Rows from what engines answer: recorded from Docker 20.10, and the shapes of API 1.52 and of Podman by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hosts.engine import parse

RECORDED = Path(__file__).parent / "recorded"
ID = "82873f48009bd8ec5cbff5ed9ca2113cbe64c2a3a7ff4760c1f5fa1143054156"


def recorded(name: str) -> Any:
    """A recorded answer of Docker 20.10."""
    return json.loads((RECORDED / f"docker_20_10_{name}.json").read_text())


@pytest.fixture(scope="module")
def containers() -> dict[str, parse.ContainerRow]:
    rows = [parse.container_row(entry) for entry in recorded("containers")]
    return {row["name"]: row for row in rows if row}


# ---------------------------------------------------------------- recorded
def test_a_healthy_published_compose_container(containers: dict[str, parse.ContainerRow]) -> None:
    row = containers["web"]
    assert row["engine_id"] == ID
    assert (row["state"], row["health"], row["exit_code"]) == ("running", "healthy", None)
    assert (row["project"], row["service"]) == ("shop", "web")
    assert (row["image"], row["image_id"][:10]) == ("mx/health", "sha256:0c2")
    assert row["created"] == datetime(2026, 11, 24, 6, 42, 54, tzinfo=UTC)
    assert row["ports"] == [
        {"ip": "0.0.0.0", "private": 8080, "public": 8080, "type": "tcp"},
        {"ip": "127.0.0.1", "private": 9090, "public": 9090, "type": "udp"},
    ]
    assert row["data"]["networks"] == {"front": "172.30.5.2"}
    assert row["data"]["mounts"] == [
        {
            "type": "volume",
            "name": "data1",
            "source": "/var/lib/docker/volumes/data1/_data",
            "target": "/data",
            "rw": True,
        },
        {"type": "bind", "name": "", "source": "/srv", "target": "/srv", "rw": False},
    ]


def test_states_and_exit_codes(containers: dict[str, parse.ContainerRow]) -> None:
    found = {name: (row["state"], row["exit_code"]) for name, row in containers.items()}
    assert found == {
        "web": ("running", None),
        "crash": ("exited", 3),
        "fresh": ("created", None),
        "pausing": ("paused", None),
    }
    assert containers["crash"]["health"] == ""


def test_a_row_of_a_list_is_the_same_from_one_list_to_the_next(containers: dict[str, parse.ContainerRow]) -> None:
    """The status text ages ("Up 4 seconds") and engines list ports, mounts and networks in random order."""
    (raw,) = [entry for entry in recorded("containers") if entry["Names"] == ["/web"]]
    raw["Status"] = "Up 2 hours (healthy)"
    for key in ("Ports", "Mounts"):
        raw[key].reverse()
    networks = raw["NetworkSettings"]["Networks"]
    networks["a"] = networks["front"]
    again = parse.container_row(raw)
    assert again is not None
    assert again | {"data": None} == containers["web"] | {"data": None}
    assert again["data"]["mounts"] == containers["web"]["data"]["mounts"]
    assert list(again["data"]["networks"]) == ["a", "front"]


@pytest.mark.parametrize("name", ["web", "crash", "fresh"])
def test_inspect_and_list_agree(name: str, containers: dict[str, parse.ContainerRow]) -> None:
    listed, inspected = containers[name], parse.container_row_from_inspect(recorded(f"inspect_{name}"))
    for key in ("engine_id", "name", "image", "image_id", "state", "health", "exit_code", "labels", "ports"):
        assert inspected[key] == listed[key], key
    assert inspected["data"]["networks"] == listed["data"]["networks"]
    for one, other in zip(inspected["data"]["mounts"], listed["data"]["mounts"], strict=True):
        # of a container that never ran the list does not say where its volume is
        assert one == other | {"source": other["source"] or one["source"]}


def test_inspect_tells_times_and_restarts() -> None:
    crash = parse.container_row_from_inspect(recorded("inspect_crash"))
    assert crash["started"] is not None and crash["finished"] is not None
    assert 0.5 < (crash["finished"] - crash["started"]).total_seconds() < 5
    assert crash["restart_count"] == 0
    web = parse.container_row_from_inspect(recorded("inspect_web") | {"RestartCount": 3})
    assert (web["finished"], web["restart_count"]) == (None, 3)  # Go's zero time is no time
    fresh = parse.container_row_from_inspect(recorded("inspect_fresh"))
    assert (fresh["started"], fresh["finished"]) == (None, None)


def test_images_with_several_tags_and_none() -> None:
    rows = [row for row in map(parse.image_row, recorded("images")) if row]
    by_name = {row["name"]: row for row in rows}
    assert by_name["busybox:latest"]["tags"] == ["busybox:latest", "shop/app:1", "shop/app:2"]
    assert all(row["size"] > 1_000_000 and row["created"] for row in rows)
    dangling = parse.image_row(
        recorded("images")[0] | {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}
    )
    assert dangling is not None
    assert (dangling["name"], dangling["tags"], dangling["digests"], dangling["dangling"]) == ("", [], [], True)
    assert parse.image_row(recorded("images")[0] | {"RepoTags": None})["dangling"]  # type: ignore[index]


def test_networks_and_volumes() -> None:
    networks = {row["name"]: row for row in map(parse.network_row, recorded("networks")) if row}
    assert networks.keys() == {"bridge", "host", "none", "front"}
    front = networks["front"]
    assert (front["driver"], front["scope"], front["internal"]) == ("bridge", "local", False)
    assert (front["labels"], front["data"]["subnets"]) == ({"team": "a"}, ["172.30.5.0/24"])
    assert front["data"]["pools"] == [{"subnet": "172.30.5.0/24", "range": "", "gateway": "", "aux": {}}]
    assert front["created"] is not None
    volumes = {row["name"]: row for row in map(parse.volume_row, recorded("volumes")["Volumes"]) if row}
    assert volumes["data1"]["labels"] == {"keep": "yes"}
    assert volumes["data1"]["mountpoint"] == "/var/lib/docker/volumes/data1/_data"
    assert volumes["data1"]["created"] is not None


def test_events() -> None:
    lines = (RECORDED / "docker_20_10_events.jsonl").read_text().splitlines()
    rows = [row for row in (parse.event_row(json.loads(line)) for line in lines) if row]
    assert len(rows) == len(lines)
    seen = {(row["kind"], row["action"]) for row in rows}
    assert {("container", "die"), ("container", "health_status: unhealthy"), ("network", "disconnect")} <= seen
    renamed = next(row for row in rows if row["action"] == "rename")
    assert (renamed["actor_name"], renamed["data"]["oldName"]) == ("crashed", "/crash")
    died = next(row for row in rows if row["action"] == "die")
    assert died["data"]["exitCode"] == "3"
    assert died["time"].timestamp() == pytest.approx(died["time_nano"] / 1e9, abs=1e-5)
    parted = next(row for row in rows if (row["kind"], row["action"]) == ("network", "disconnect"))
    assert len(parted["data"]["container"]) == 64
    made = next(row for row in rows if (row["kind"], row["action"]) == ("volume", "create"))
    assert made["actor_name"] == "data1"


def test_disk_use() -> None:
    use = parse.disk_use(recorded("df"))
    assert use["images"] > 2_000_000
    assert use["containers"] > 0
    assert use.keys() == {"images", "containers", "volumes", "build_cache"}
    assert parse.disk_use({"Volumes": [{"UsageData": {"Size": -1}}, {"UsageData": {"Size": 7}}, {}]})["volumes"] == 7


# ---------------------------------------------------------------- other engines
@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({"Status": "healthy", "FailingStreak": 0}, "healthy"),
        ({"Status": "unhealthy", "FailingStreak": 3}, "unhealthy"),
        ({"Status": "none", "FailingStreak": 0}, ""),
        ({"Status": "starting"}, "starting"),
    ],
)
def test_api_1_52_says_health_in_the_list(health: dict[str, Any], expected: str) -> None:
    row = parse.container_row({"Id": ID, "Names": ["/a"], "State": "running", "Status": "Up 3 s", "Health": health})
    assert row is not None and row["health"] == expected


def test_api_1_52_events_have_no_status_id_and_from() -> None:
    raw = {
        "Type": "container",
        "Action": "start",
        "Actor": {"ID": ID, "Attributes": {"image": "nginx", "name": "web"}},
        "timeNano": 1795502574223151919,
    }
    row = parse.event_row(raw)
    assert row is not None
    assert (row["action"], row["actor_id"], row["actor_name"]) == ("start", ID, "web")
    assert row["time"].year == 2026


def test_podman_containers() -> None:
    raw = {
        "Id": ID,
        "Names": ["web"],
        "Image": "docker.example/library/nginx:latest",
        "ImageID": "sha256:abc",
        "Command": ["nginx", "-g", "daemon off;"],
        "Created": 1795502574,
        "Ports": None,
        "Labels": None,
        "State": "stopped",
        "Status": "Exited (137) 2 minutes ago",
        "NetworkSettings": None,
        "Mounts": [{"Type": "bind", "Source": "/srv", "Destination": "/srv"}],
    }
    row = parse.container_row(raw)
    assert row is not None
    assert (row["name"], row["state"], row["exit_code"]) == ("web", "exited", 137)
    assert row["command"] == "nginx -g daemon off;"
    assert (row["ports"], row["labels"], row["data"]["networks"]) == ([], {}, {})
    for said, means in (("configured", "created"), ("initialized", "created"), ("stopping", "running")):
        assert parse.container_row(raw | {"State": said})["state"] == means  # type: ignore[index]
    assert parse.container_row(raw | {"State": "running", "Status": "Up 1 s (starting)"})["health"] == "starting"  # type: ignore[index]


@pytest.mark.parametrize(
    ("action", "attributes", "expected"),
    [
        ("died", {"containerExitCode": "1", "name": "web"}, "die"),
        ("remove", {"name": "web"}, "destroy"),
        ("health_status", {"name": "web", "health_status": "unhealthy"}, "health_status: unhealthy"),
    ],
)
def test_podman_events(action: str, attributes: dict[str, str], expected: str) -> None:
    raw = {"Type": "container", "Action": action, "Actor": {"ID": ID, "Attributes": attributes}, "time": 1795502574}
    row = parse.event_row(raw)
    assert row is not None and row["action"] == expected
    if action == "died":
        assert row["data"]["exitCode"] == "1"


def test_a_stack_is_a_project() -> None:
    labels = {"com.docker.stack.namespace": "shop", "com.docker.swarm.service.name": "shop_web"}
    row = parse.container_row({"Id": ID, "Names": ["/shop_web.1.x"], "State": "running", "Labels": labels})
    assert row is not None and (row["project"], row["service"]) == ("shop", "shop_web")


def test_a_linked_container_keeps_its_own_name() -> None:
    row = parse.container_row({"Id": ID, "Names": ["/web/db", "/db"], "State": "running"})
    assert row is not None and row["name"] == "db"


def test_ports_of_both_families_are_one_whatever_the_order() -> None:
    four = {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}
    six = four | {"IP": "::"}
    exposed = {"PrivatePort": 443, "Type": "tcp"}
    one = [
        {"ip": "0.0.0.0", "private": 80, "public": 8080, "type": "tcp"},
        {"ip": "", "private": 443, "public": 0, "type": "tcp"},
    ]
    assert parse.ports_of([four, six, exposed]) == parse.ports_of([exposed, six, four]) == one
    assert parse.ports_of([six])[0]["ip"] == "::"
    other = four | {"IP": "10.0.0.5"}
    assert len(parse.ports_of([four, other])) == 2


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("2026-11-24T06:42:54.223151919Z", datetime(2026, 11, 24, 6, 42, 54, 223151, tzinfo=UTC)),
        ("2026-11-24T13:42:54+07:00", datetime(2026, 11, 24, 6, 42, 54, tzinfo=UTC)),
        ("2026-11-24 06:42:54.5 +0000 UTC", datetime(2026, 11, 24, 6, 42, 54, 500000, tzinfo=UTC)),
        (1795502574, datetime(2026, 11, 24, 6, 42, 54, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        (-62135596800, None),
        (0, None),
        ("", None),
        ("yesterday", None),
        ("2026-13-45T99:99:99Z", None),
        (10**30, None),
        (float("nan"), None),
        (None, None),
        ([], None),
    ],
)
def test_times(said: Any, means: datetime | None) -> None:
    assert parse.time_of(said) == means


# ---------------------------------------------------------------- hostile
EVIL: list[Any] = [
    None,
    True,
    -1,
    10**400,
    1.5,
    float("inf"),
    "",
    "x\0y",
    "\ud800",
    "é" * 100_000,
    [],
    [1],
    {},
    {"a": 1},
    [[]],
    [{}],
]


@pytest.mark.parametrize("value", EVIL, ids=[str(number) for number in range(len(EVIL))])
def test_wrong_types_anywhere_survive(value: Any) -> None:
    """Each field in turn, and each answer as a whole, holds something of another type."""
    samples: list[tuple[Any, Any]] = [
        (parse.container_row, recorded("containers")[3]),
        (parse.container_row_from_inspect, recorded("inspect_web")),
        (parse.image_row, recorded("images")[0]),
        (parse.network_row, recorded("networks")[0]),
        (parse.volume_row, recorded("volumes")["Volumes"][0]),
        (parse.event_row, json.loads((RECORDED / "docker_20_10_events.jsonl").read_text().splitlines()[3])),
        (parse.disk_use, recorded("df")),
    ]
    for function, sample in samples:
        check_row(function(value))
        for changed in replaced(sample, value):
            check_row(function(changed))


def replaced(sample: Any, value: Any, depth: int = 3) -> list[Any]:
    """Copies of `sample` with one field each replaced, nested ones too."""
    if depth == 0 or not isinstance(sample, dict | list):
        return []
    found = []
    for key in list(sample) if isinstance(sample, dict) else range(min(len(sample), 2)):
        for inner in [value, *replaced(sample[key], value, depth - 1)]:
            copy = dict(sample) if isinstance(sample, dict) else list(sample)
            copy[key] = inner
            found.append(copy)
    return found


def check_row(row: Any) -> None:
    """What a database must be able to take: UTF-8 without NUL, bounded, numbers within 64 bits."""
    if isinstance(row, str):
        assert "\0" not in row and len(row) <= 4096
        row.encode()
    elif isinstance(row, dict):
        assert len(row) <= 200
        for name, value in row.items():
            check_row(name)
            check_row(value)
    elif isinstance(row, list):
        assert len(row) <= 200
        for value in row:
            check_row(value)
    elif isinstance(row, int):
        assert abs(row) < 2**63
    elif isinstance(row, datetime):
        assert row.tzinfo is not None
    else:
        assert row is None


def test_lengths_fit_the_columns() -> None:
    long = "x" * 10_000
    labels = {f"{number}{long}": long for number in range(500)} | {"com.docker.compose.project": long}
    row = parse.container_row(
        {"Id": long, "Names": [f"/{long}"], "Image": long, "ImageID": long, "State": long, "Labels": labels}
    )
    assert row is not None
    lengths = {key: len(row[key]) for key in ("engine_id", "name", "image", "image_id", "state")}
    assert lengths == {"engine_id": 80, "name": 255, "image": 500, "image_id": 100, "state": 4}
    assert len(row["labels"]) == 200
    assert max(map(len, row["labels"].values())) == 4096


def test_what_cannot_be_named_is_left_out() -> None:
    for function in (parse.container_row, parse.image_row, parse.network_row, parse.volume_row, parse.event_row):
        assert function({}) is None
        assert function("nonsense") is None
