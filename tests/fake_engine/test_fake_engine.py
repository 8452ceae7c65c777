"""The fake engine answers as an engine does, and misbehaves as it is told."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from docker import APIClient
from docker.errors import APIError

from tests.engines.commands import wait_until
from tests.fake_engine import Cut, Drip, Fail, FakeContainer, FakeEngine, Hang, Lose, NotHTTP, Raw


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    with FakeEngine(tcp=True) as engine:
        yield engine


def sdk(engine: FakeEngine, timeout: float = 2) -> APIClient:
    client = APIClient(base_url=engine.url, version="1.43", timeout=timeout)
    client.trust_env = False
    return client


def raw(engine: FakeEngine, path: str, timeout: float = 2) -> http.client.HTTPResponse:
    host, _, port = engine.url.removeprefix("tcp://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    connection.request("GET", path)
    return connection.getresponse()


def test_the_docker_sdk_takes_it_for_an_engine() -> None:
    with FakeEngine(
        [FakeContainer("web-1", health="healthy"), FakeContainer("old", state="exited", exit_code=3)]
    ) as fake:
        client = sdk(fake)
        assert client.ping()
        assert client.version()["ApiVersion"] == "1.47"
        assert client.info()["ContainersRunning"] == 1
        assert [row["Names"] for row in client.containers()] == [["/web-1"]]
        assert len(client.containers(all=True)) == 2
        assert client.inspect_container("old")["State"]["ExitCode"] == 3
        assert client.inspect_container("web-1")["State"]["Health"]["Status"] == "healthy"
        assert client.images() and client.networks() and client.volumes()["Volumes"]
        assert client.stats("web-1", stream=False)["memory_stats"]["usage"] > 0
        with pytest.raises(APIError, match="No such container: nobody"):
            client.inspect_container("nobody")


def test_an_act_changes_the_container_and_is_told_as_an_event(engine: FakeEngine) -> None:
    client = sdk(engine)
    stream = sdk(engine).events(decode=True)
    wait_until(lambda: engine.listeners == 1, "a listener")
    client.stop("web-1")
    assert [next(stream)["Action"] for _ in range(3)] == ["kill", "die", "stop"]
    assert client.inspect_container("web-1")["State"]["Status"] == "exited"
    client.rename("web-1", "other")
    client.remove_container("other")
    assert [next(stream)["Action"] for _ in range(2)] == ["rename", "destroy"]
    assert [container.name for container in engine.containers] == ["web-2"]


def test_logs_are_framed_and_followed(engine: FakeEngine) -> None:
    container = engine.container("web-1")
    engine.say(container, "first")
    engine.say(container, "trouble", stream=2)
    assert sdk(engine).logs("web-1", stderr=False) == b"first\n"
    stream = sdk(engine).logs("web-1", stream=True, follow=True, tail=0)
    wait_until(lambda: any(r.query.get("tail") == "0" for r in engine.requests), "the request")
    engine.say(container, "second")
    assert next(stream) == b"second\n"


def test_an_event_filter_holds_back_the_others(engine: FakeEngine) -> None:
    stream = sdk(engine).events(decode=True, filters={"type": ["image"]})
    wait_until(lambda: engine.listeners == 1, "a listener")
    engine.add(FakeContainer("new"))
    engine.add_image("redis:7")
    assert next(stream)["Actor"]["ID"] == "redis:7"


def test_a_hanging_path_never_answers_and_others_do(engine: FakeEngine) -> None:
    engine.misbehave("/info", Hang())
    with pytest.raises(requests.exceptions.ReadTimeout):
        sdk(engine, timeout=0.3).info()
    assert sdk(engine).ping()
    engine.behave("/info")
    assert sdk(engine).info()["Name"] == "fake"


def test_an_answer_drips(engine: FakeEngine) -> None:
    engine.misbehave("/_ping", Drip(bytes_per_second=20, first=100))
    started = time.monotonic()
    sdk(engine, timeout=5).ping()
    assert time.monotonic() - started > 0.2


def test_it_fails_as_often_as_told_in_an_engines_words(engine: FakeEngine) -> None:
    engine.misbehave("/containers/*/json", Fail(500, "disk is full"), times=1)
    with pytest.raises(APIError, match="disk is full"):
        sdk(engine).inspect_container("web-1")
    assert sdk(engine).inspect_container("web-1")["Name"] == "/web-1"


def test_an_answer_is_cut_in_the_middle(engine: FakeEngine) -> None:
    whole = len(raw(engine, "/info").read())
    engine.misbehave("/info", Cut(after=300, politely=True))
    with pytest.raises(http.client.IncompleteRead) as error:
        raw(engine, "/info").read()
    assert 0 < len(error.value.partial) < whole


def test_an_open_stream_is_reset(engine: FakeEngine) -> None:
    answer = raw(engine, "/events")
    wait_until(lambda: engine.listeners == 1, "a listener")
    engine.cut_streams()
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        answer.read(1)
    wait_until(lambda: engine.listeners == 0, "the listener to be gone")


def test_a_gap_swallows_events_and_says_nothing(engine: FakeEngine) -> None:
    engine.misbehave("/events", Lose(2))
    stream = sdk(engine).events(decode=True)
    wait_until(lambda: engine.listeners == 1, "a listener")
    for name in ("one", "two", "three"):
        engine.emit("container", "start", name)
    assert next(stream)["Actor"]["ID"] == "three"


def test_events_are_replayed_since_a_moment(engine: FakeEngine) -> None:
    engine.emit("container", "start", "missed")
    line = raw(engine, f"/events?since={time.time() - 60:.0f}").readline()
    assert json.loads(line)["Actor"]["ID"] == "missed"


def test_an_old_engine_names_the_versions_it_speaks() -> None:
    with FakeEngine(tcp=True, api_version="1.30") as engine:
        assert raw(engine, "/_ping").headers["Api-Version"] == "1.30"
        answer = raw(engine, "/v1.40/info")
        assert answer.status == 400
        assert "client version 1.40 is too new. Maximum supported API version is 1.30" in message(answer)


def test_a_new_engine_refuses_an_old_client() -> None:
    with FakeEngine(tcp=True, api_version="1.52", min_api_version="1.44") as engine:
        answer = raw(engine, "/v1.41/info")
        assert answer.status == 400
        assert "Minimum supported API version is 1.44" in message(answer)


def message(answer: http.client.HTTPResponse) -> Any:
    return json.loads(answer.read())["message"]


def test_it_speaks_first_and_not_http(engine: FakeEngine) -> None:
    engine.misbehave("*", NotHTTP())
    host, _, port = engine.url.removeprefix("tcp://").partition(":")
    with socket.create_connection((host, int(port)), timeout=2) as plain:
        assert plain.recv(100).startswith(b"SSH-2.0")
    with pytest.raises(http.client.BadStatusLine):
        raw(engine, "/_ping")


def test_it_answers_with_bytes_of_ones_own(engine: FakeEngine) -> None:
    engine.misbehave("/info", Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"))
    assert raw(engine, "/info").read() == b"{"


def test_a_pull_tells_its_progress(engine: FakeEngine) -> None:
    messages = list(sdk(engine).pull("nginx", tag="1", stream=True, decode=True))
    assert {"current": 2_000_000, "total": 4_000_000} in [m.get("progressDetail") for m in messages]
    assert any("nginx:1" in row["RepoTags"] for row in engine.images)
