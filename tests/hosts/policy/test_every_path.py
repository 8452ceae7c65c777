"""Whatever the product asks an engine to make or change goes by the policy: found from the code, so that a new way does, too."""

import pytest

from hosts.actions.policing import PATHS
from tests.architecture.policed import asked_paths, engine_writers, unpoliced
from tests.architecture.sources import planted, product

# they make nothing, and give nothing to what is there
HARMLESS = {
    *(f"/containers/x/{verb}" for verb in ("rename", "start", "stop", "unpause")),
    *("x/pause", "x/start", "x/stop", "/build/prune"),
    "/xs/create",  # secrets and configs
    "/swarm/update",
    "x/update",  # by its whole path: of services policed when it is sent, and of nodes, secrets and configs
    "hosts.actions.containers.container_updates: path",  # as well
    "hosts.actions.swarm.swarm_hosts: path",  # who is in a swarm: swarm.manage is root by design
}
PLUGINS = "hosts.actions.plugins"  # plugins.manage is root by design
ELSEWHERE = {
    "hosts.actions.containers.file_uploads._upload",  # run_upload asks
    "hosts.actions.images.image_copies._send",  # run_copy asks
    "hosts.actions.backups.downloads._helper",  # download asks
    "hosts.actions.volumes.work.VolumeWork.write",  # into a helper, which holds.helper has asked for
    "hosts.actions.volumes.holds._an_image",  # of nothing
    "hosts.actions.containers.looks._wait",  # waits
    "hosts.actions.images.images.run_prune",
    "hosts.actions.images.image_pushes._push",  # out of the host
    *(f"{PLUGINS}.plugin_moves.{act}" for act in ("run_create", "run_push")),
    *(f"{PLUGINS}.plugins.{act}" for act in ("_post", "_pull", "configure", "remove")),
}


def test_what_is_asked_is_policed_or_known_to_be_harmless() -> None:
    paths = asked_paths(product())
    assert any("/containers/create" in path for path in paths)
    left = {path for path in paths if not any(pattern.fullmatch(path) for pattern in PATHS)}
    assert left == HARMLESS


def test_what_is_sent_in_another_way_is_policed_or_known_to_be_harmless() -> None:
    writers = engine_writers(product())
    assert {
        "hosts.engine.volume_helpers.make",
        "hosts.engine.terminal.open_exec",
        "hosts.engine.changing.send",
    } <= writers
    assert unpoliced(product(), writers) == ELSEWHERE


HEAD = "from hosts.actions import policing\nfrom hosts.actions.act import on_engine\nfrom hosts.engine import volume_helpers\n"


@pytest.mark.parametrize(
    "code",
    [
        "def make(actor, host):\n    with on_engine(actor) as api:\n        api.create_container('x')",
        "def make(actor, host):\n    with on_engine(actor) as api:\n        api._post_json('/containers/create')",
        "def make(actor, call):\n    call.open('POST', '/containers/create')",
        "def make(actor, call):\n    volume_helpers.make(call)",
    ],
)
def test_a_new_way_without_a_policy_is_caught(code: str) -> None:
    writers = engine_writers(product())
    assert unpoliced([planted(HEAD + code, "hosts.actions.planted")], writers) == {"hosts.actions.planted.make"}
    asks = code.replace("host):", "host):\n    policing.allow_volume(actor, host, {})")
    asks = asks.replace("call):", "call):\n    policing.allow_volume(actor, call, {})")
    assert unpoliced([planted(HEAD + asks, "hosts.actions.planted")], writers) == set()


def test_a_new_path_is_caught() -> None:
    code = "def make(asking, name):\n    asking.ask('POST', f'/things/{name}/create')"
    assert asked_paths([planted(code, "hosts.actions.planted")]) == {"/things/x/create"}
