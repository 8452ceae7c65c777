"""A volume's files on real engines, through a container that is never started."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hosts.engine import changing, files
from hosts.engine.calls import Call
from hosts.engine.connect import check
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import PathRefused
from hosts.engine.targets import Target
from hosts.engine.volume_helpers import HELPER_LABEL, PLACE, close, make, new_name
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.ways import AnyEngine


@pytest.fixture(params=["docker_engine", "podman_engine"])
def engine(request: pytest.FixtureRequest) -> AnyEngine:
    found: DockerEngine | PodmanEngine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def volume(engine: AnyEngine) -> Iterator[str]:
    engine.docker("volume", "create", "cargo")
    yield "cargo"
    engine.docker("volume", "rm", "cargo")  # also proves that no helper holds it


def way(engine: AnyEngine) -> tuple[Endpoint, str]:
    endpoint = Endpoint(engine.url)
    return endpoint, check(endpoint)["api_version"]


def helpers(engine: AnyEngine) -> list[str]:
    return engine.docker("ps", "-aq", "--filter", f"label={HELPER_LABEL}").split()


@contextmanager
def opened(endpoint: Endpoint, volume: str, version: str) -> Iterator[Target]:
    with Call(endpoint) as call:
        helper = make(call, volume, "busybox", version=version, name=new_name(), seconds=20)
    yield Target(endpoint, helper, version)
    close(endpoint, helper, version=version)


def test_a_volume_is_looked_at_and_changed(engine: AnyEngine, volume: str) -> None:
    endpoint, version = way(engine)
    with opened(endpoint, volume, version) as target:
        assert files.list_folder(target, PLACE, running=False).entries == []
        changing.make(target, PLACE, "hold", "folder")
        path = changing.make(target, f"{PLACE}/hold", "list.txt", "file")
        changing.write(target, path, b"tea", files.look_at(target, path).stamp)
    with opened(endpoint, volume, version) as target:
        assert [entry.name for entry in files.list_folder(target, PLACE, running=False).entries] == ["hold"]
        assert files.read_file(target, f"{PLACE}/hold/list.txt", 100)[1] == b"tea"
        with pytest.raises(PathRefused, match="does not run"):
            changing.delete(target, f"{PLACE}/hold")
    assert helpers(engine) == []
