"""A helper container that stays open over a volume, so that pages and programs use its files as any container's.

It runs a shell of its image that waits, in which listing, renaming and deleting work; where no image has a shell it is
only made, and what its archive can do works (hosts.engine.volume_files).
"""

import secrets
from contextlib import suppress
from typing import Any

from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.transport import Deadline
from hosts.engine.volume_files import HELPER_LABEL, PLACE

NAME = "dermaga-files-"  # how helpers' names begin
VOLUME_LABEL = "org.dermaga.volume"
OPEN_SECONDS, CLOSE_SECONDS = 10.0, 10.0
# what root needs for files of others, and no more
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]


def open_for(endpoint: Endpoint, volume: str, images: list[str], seconds: int, *, version: str, mark: str) -> str:
    """The id of a helper that ends by itself after `seconds`, of the first of `images` (ids or names) that has a shell.
    Where none has, that of one that was made and does not run. Raises EngineError."""
    deadline = Deadline(OPEN_SECONDS)
    for image in images:
        wait = ["-c", f"trap 'exit 0' TERM; sleep {seconds} & wait"]
        running = _body(volume, image, mark) | {"Entrypoint": ["sh"], "Cmd": wait, "User": "0:0"}
        running["HostConfig"] |= {"AutoRemove": True}
        helper = _create(endpoint, running, version, deadline)
        try:
            with Call(endpoint) as call:
                call.open("POST", f"/containers/{helper}/start", version=version, seconds=deadline.left())
        except EngineError:
            close(endpoint, helper, version=version)
            continue
        return helper
    return _create(endpoint, _body(volume, images[0], mark) | {"Cmd": ["never-started"]}, version, deadline)


def close(endpoint: Endpoint, helper: str, *, version: str) -> None:
    """Removes it; that it is gone already is no error."""
    with suppress(EngineError), Call(endpoint) as call:
        # v: volumes that the image itself asks for; one that was named stays
        params = {"force": "1", "v": "1"}
        call.open("DELETE", f"/containers/{helper}", params, version=version, seconds=CLOSE_SECONDS)


def _create(endpoint: Endpoint, body: dict[str, Any], version: str, deadline: Deadline) -> str:
    params = {"name": f"{NAME}{secrets.token_hex(6)}"}
    with Call(endpoint) as call:
        call.open("POST", "/containers/create", params, version=version, body=body, seconds=deadline.left())
        return str((call.read_json(deadline.left()) or {}).get("Id", ""))


def _body(volume: str, image: str, mark: str) -> dict[str, Any]:
    # an empty volume stays empty, whatever the image has there
    mount = {"Type": "volume", "Source": volume, "Target": PLACE, "VolumeOptions": {"NoCopy": True}}
    return {
        "Image": image,
        "Labels": {HELPER_LABEL: mark, VOLUME_LABEL: volume},
        "Healthcheck": {"Test": ["NONE"]},
        "NetworkDisabled": True,
        "HostConfig": {
            "Mounts": [mount],
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "CapAdd": CAPABILITIES,
            "SecurityOpt": ["no-new-privileges"],
        },
    }
