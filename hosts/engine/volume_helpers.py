"""Helper containers, through which the files of a volume are reached; here alone they are made and removed.

A job's on Docker is made and never started: its archive holds what is mounted, and it needs nothing in its image, so that
any image of the engine will do. On Podman it runs, for its `tar` (hosts.engine.volume_archives). A page's stays open and ends by
itself: it runs a shell of its image that waits, in which listing, renaming and deleting work. Where no image has a shell
that one is only made too, and what its archive can do works.
"""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.connections import Deadline
from hosts.engine.answers import NotFound
from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.targets import Target

PLACE = "/volume"  # where the volume is in the helper
NAME = "dermaga-files-"  # how helpers' names begin
HELPER_LABEL = "org.dermaga.helper"  # whose it is: OF_PAGES or OF_JOBS
VOLUME_LABEL = "org.dermaga.volume"  # of those that pages share
OF_PAGES, OF_JOBS, OF_DOWNLOADS = "files", "job", "download"
OPEN_SECONDS, CLOSE_SECONDS = 10.0, 10.0
# what root needs for files of others, and no more
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"]


@dataclass(frozen=True)
class Helper:
    """A job's helper. `runs`: programs of its image can be used."""

    target: Target
    runs: bool


def is_helper(entry: dict[str, Any]) -> bool:
    """Whether a container, as an engine lists it, is one of ours."""
    labels = entry.get("Labels")
    return isinstance(labels, dict) and HELPER_LABEL in labels


def new_name() -> str:
    """The name of a helper that is still to be made."""
    return f"{NAME}{secrets.token_hex(6)}"


def make(
    call: Call,
    volume: str,
    image: str,
    *,
    version: str,
    name: str,
    read_only: bool = False,
    runs: int = 0,
    seconds: float,
    owner: str = OF_JOBS,
) -> str:
    """The id of a helper of a job, made by `call`; not started, but of an image with a shell when it is to run for `runs`
    seconds. Raises EngineError."""
    body = _body(volume, image, {HELPER_LABEL: owner}, read_only=read_only)
    body |= _waiting(runs) if runs else {"Cmd": ["never-started"]}
    return _create(call, body, name, version, Deadline(seconds))


def start(call: Call, helper: str, *, version: str, seconds: float) -> None:
    """Starts one that is to run. Raises EngineError."""
    call.open("POST", f"/containers/{helper}/start", version=version, seconds=seconds)


def open_for(
    endpoint: Endpoint,
    volume: str,
    images: list[str],
    seconds: int,
    *,
    version: str,
    owner: str = OF_PAGES,
    labels: Mapping[str, str] | None = None,
) -> str:
    """The id of a helper for pages that ends by itself after `seconds`, of the first of `images` (ids or names) that has
    a shell. Where none has, that of one that was made and does not run. Raises EngineError."""
    deadline = Deadline(OPEN_SECONDS)
    labels = {**(labels or {}), HELPER_LABEL: owner} | ({VOLUME_LABEL: volume} if owner == OF_PAGES else {})
    for image in images:
        running = _body(volume, image, labels) | _waiting(seconds)
        running["HostConfig"] |= {"AutoRemove": True}
        with Call(endpoint) as call:
            helper = _create(call, running, new_name(), version, deadline)
        try:
            with Call(endpoint) as call:
                start(call, helper, version=version, seconds=deadline.left())
        except EngineError:
            close(endpoint, helper, version=version)
            continue
        return helper
    with Call(endpoint) as call:
        # an image without a command is refused
        body = _body(volume, images[0], labels) | {"Cmd": ["never-started"]}
        return _create(call, body, new_name(), version, deadline)


def close(endpoint: Endpoint, helper: str, *, version: str) -> None:
    """Removes it, by its id or name, as far as the engine answers; that it is gone already is no error."""
    with contextlib.suppress(EngineError):
        remove(endpoint, helper, version=version)


def remove(endpoint: Endpoint, helper: str, *, version: str, seconds: float = CLOSE_SECONDS) -> bool:
    """Removes it, and tells whether it was there. Raises EngineError."""
    with Call(endpoint) as call:
        # v: volumes that the image itself asks for; one that was named stays
        params = {"force": "1", "v": "1"}
        try:
            call.open("DELETE", f"/containers/{helper}", params, version=version, seconds=seconds)
        except NotFound:
            return False
    return True


def _create(call: Call, body: dict[str, Any], name: str, version: str, deadline: Deadline) -> str:
    call.open("POST", "/containers/create", {"name": name}, version=version, body=body, seconds=deadline.left())
    return str((call.read_json(deadline.left()) or {}).get("Id", ""))


def _waiting(seconds: int) -> dict[str, Any]:
    return {"Entrypoint": ["sh"], "Cmd": ["-c", f"trap 'exit 0' TERM; sleep {seconds} & wait"], "User": "0:0"}


def _body(volume: str, image: str, labels: dict[str, str], *, read_only: bool = False) -> dict[str, Any]:
    mount = {
        "Type": "volume",
        "Source": volume,
        "Target": PLACE,
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": True},  # an empty volume stays empty, whatever the image has there
    }
    return {
        "Image": image,
        "Labels": labels,
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
