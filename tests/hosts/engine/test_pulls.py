"""Pulls as engines report them, good ones and broken ones."""

import json
from typing import Any

import pytest

from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.pulls import Layers, pull
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import LAYERED, make_layered
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import Registry
from tests.fake_engine import Cut, FakeEngine, Raw
from tests.waiting import until


class Seen:
    """What a pull reported."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.layers: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def report(self, share: float, layers: list[dict[str, Any]]) -> None:
        self.shares.append(share)
        self.layers = layers

    def pull(self, url: str, name: str, tag: str = "latest", version: str = "1.41") -> dict[str, Any]:
        with Call(Endpoint(url)) as call:
            return pull(call, name, tag, version=version, report=self.report, log=self.lines.append)


def events(*more: dict[str, Any]) -> bytes:
    """An answer that tells these events and ends as it should."""
    body = b"".join(json.dumps(event).encode() + b"\r\n" for event in more)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def layer(status: str, name: str = "a1b2c3d4e5f6", current: int = 0, total: int = 0) -> dict[str, Any]:
    detail = {"current": current, "total": total} if total else {}
    return {"status": status, "progressDetail": detail, "id": name}


# ---------------------------------------------------------------- what an engine tells
def test_it_gives_the_result(fake_engine: FakeEngine) -> None:
    seen = Seen()
    assert seen.pull(fake_engine.url, "nginx", "1")["status"] == "Downloaded newer image for nginx:1"
    assert seen.shares[-1] == 1
    assert [part["state"] for part in seen.layers] == ["done", "done"]


@pytest.mark.parametrize("politely", [True, False])
@pytest.mark.parametrize("after", [0, 150, 700])
def test_a_pull_that_is_cut_is_never_done(fake_engine: FakeEngine, politely: bool, after: int) -> None:
    fake_engine.misbehave("/images/create", Cut(after=after, politely=politely))
    seen = Seen()
    with pytest.raises(EngineError) as caught:
        seen.pull(fake_engine.url, "nginx", "1")
    assert caught.value.code in {"connection_lost", "not_an_engine"}
    assert max(seen.shares, default=0) < 1


def test_an_end_without_a_result_is_no_success(fake_engine: FakeEngine) -> None:
    fake_engine.misbehave("/images/create", Raw(events(layer("Pull complete"))))
    with pytest.raises(EngineError) as caught:
        Seen().pull(fake_engine.url, "nginx", "1")
    assert caught.value.code == "connection_lost"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("manifest for nginx:9 not found: manifest unknown: manifest unknown", "image_unknown"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login': denied: "
            "requested access to the resource is denied",
            "registry_refused",
        ),
        ("toomanyrequests: You have reached your pull rate limit.", "registry_limited"),
        ('Get "https://r/v2/": dial tcp: lookup r on 10.0.0.1:53: no such host', "registry_unreachable"),
        ("write /var/lib/docker/tmp/x: no space left on device", "engine_failed"),
    ],
)
def test_an_error_in_the_middle_is_told_in_the_engine_s_words(fake_engine: FakeEngine, message: str, code: str) -> None:
    error = {"error": message, "errorDetail": {"message": message}}
    fake_engine.misbehave("/images/create", Raw(events(layer("Downloading", current=5, total=10), error)))
    seen = Seen()
    with pytest.raises(EngineError) as caught:
        seen.pull(fake_engine.url, "nginx", "9")
    assert caught.value.code == code
    assert message.rstrip(".") in str(caught.value)
    assert max(seen.shares, default=0) < 1


# ---------------------------------------------------------------- the share done
def test_layers_that_exist_say_nothing_of_those_to_come() -> None:
    layers = Layers()
    layers.take(layer("Already exists", "base"))
    assert layers.share() == 0
    layers.take(layer("Pulling fs layer"))
    assert layers.share() == 0


def test_a_big_layer_that_comes_last_does_not_find_everything_nearly_done() -> None:
    layers = Layers()
    for name in ("one", "two", "three"):
        layers.take(layer("Downloading", name, 1000, 1000))
        layers.take(layer("Pull complete", name))
    layers.take(layer("Waiting", "big"))
    assert layers.share() < 0.01
    layers.take(layer("Downloading", "big", 50_000_000, 100_000_000))
    assert 0.3 < layers.share() < 0.4


def test_a_layer_that_is_tried_again_says_so() -> None:
    layers = Layers()
    layers.take(layer("Downloading", current=5, total=10))
    assert layers.take({"status": "Retrying in 5 seconds", "progressDetail": {}, "id": "a1b2c3d4e5f6"})
    assert layers.list()[0]["state"] == "retrying"


# ---------------------------------------------------------------- Podman
def test_podman_s_pull_ends_with_a_result_as_well(
    docker_engine: DockerEngine, podman_engine: PodmanEngine, registry: Registry
) -> None:
    make_layered(docker_engine, "dermaga/few", layers=2, megabytes=1)
    registry.push(docker_engine, "dermaga/few")
    docker_engine.docker("rmi", "dermaga/few")
    seen = Seen()
    name = f"{registry.address}/dermaga/few"
    assert seen.pull(podman_engine.url, name)["digest"] == registry.digest("dermaga/few")
    assert seen.shares[-1] == 1
    states = {part["state"] for part in seen.layers}
    assert "done" in states and states <= {"done", "exists"}  # the lowest layer may have come with another image
    with pytest.raises(EngineError) as caught:
        seen.pull(podman_engine.url, name, "none")
    assert caught.value.code == "image_unknown"


def test_podman_ends_a_pull_when_the_call_ends(
    docker_engine: DockerEngine, podman_engine: PodmanEngine, registry: Registry
) -> None:
    make_layered(docker_engine, LAYERED)
    registry.push(docker_engine, LAYERED)
    docker_engine.docker("rmi", LAYERED)
    with registry.slow(300_000) as slow, Call(Endpoint(podman_engine.url)) as call:

        def end(share: float, layers: list[dict[str, Any]]) -> None:
            if slow.passed > 50_000:
                call.end()

        with pytest.raises(EngineError) as caught:
            pull(call, f"{slow.address}/{LAYERED}", "latest", version="1.41", report=end, log=print)
        assert caught.value.code == "connection_lost"
        until(slow.is_still, "Podman asks the registry for no more")
    assert f"{slow.address}/{LAYERED}" not in podman_engine.docker("images")
