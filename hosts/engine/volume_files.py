"""The files of a volume, by a helper container that is made and never started: its archive holds what is mounted.

It needs nothing in the image, so any image that the engine has will do.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.targets import Target
from hosts.engine.transport import Deadline

PLACE = "/volume"  # where the volume is in the helper
HELPER_LABEL = "org.dermaga.helper"  # by it what a killed process left is found
OPEN_SECONDS = 20.0
CLOSE_SECONDS = 30.0


@contextmanager
def opened(
    endpoint: Endpoint, volume: str, image: str, *, version: str, read_only: bool = False, host: str = ""
) -> Iterator[Target]:
    """A container in which `volume` is at PLACE, for hosts.engine.files and hosts.engine.changing; gone after the block.

    `image` is the id or name of one that the engine has. Raises EngineError.
    """
    with Call(endpoint) as call:
        deadline = Deadline(OPEN_SECONDS)
        params = {"name": f"dermaga-files-{secrets.token_hex(6)}"}
        body = _helper(volume, image, read_only)
        call.open("POST", "/containers/create", params, version=version, body=body, seconds=deadline.left())
        target = Target(endpoint, str((call.read_json(deadline.left()) or {}).get("Id", "")), version, host)
    try:
        yield target
    finally:
        with suppress(EngineError), Call(endpoint) as call:
            # v: volumes that the image itself asks for; one that was named stays
            path, params = f"/containers/{target.container_id}", {"force": "1", "v": "1"}
            call.open("DELETE", path, params, version=version, seconds=CLOSE_SECONDS)


def _helper(volume: str, image: str, read_only: bool) -> dict[str, object]:
    mount = {
        "Type": "volume",
        "Source": volume,
        "Target": PLACE,
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": True},  # an empty volume stays empty, whatever the image has there
    }
    return {
        "Image": image,
        "Cmd": ["never-started"],  # an image without a command is refused
        "Labels": {HELPER_LABEL: "files"},
        "NetworkDisabled": True,
        "HostConfig": {"Mounts": [mount], "NetworkMode": "none"},
    }
