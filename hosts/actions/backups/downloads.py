"""A volume as a download: packed as it is read, held nowhere whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.rights import SYSTEM, Right
from common.errors import Failure
from common.streaming import from_thread
from hosts.actions import policing
from hosts.actions.act import file_response, recorded
from hosts.actions.asking import Asking
from hosts.actions.volumes.volume_files import DOWNLOAD_HOURS
from hosts.engine import volume_archives, volume_helpers
from hosts.engine.archives import Recast
from hosts.engine.calls import Call
from hosts.engine.targets import Target
from hosts.helper_images import likely_shells
from hosts.models import Volume
from hosts.owning import is_limited
from hosts.stores.packing import packed

MAKE_SECONDS = 60.0


class _Calls:
    """The calls of one download, which end together when nobody reads any more."""

    def __init__(self, volume: Volume) -> None:
        self._endpoint = volume.host.endpoint()
        self._all: list[Call] = []
        self._ended = False

    def open(self) -> Call:
        """A new one."""
        call = Call(self._endpoint)
        self._all.append(call)
        if self._ended:
            call.end()
        return call

    def end(self) -> None:
        """From any thread."""
        self._ended = True
        for call in self._all:
            call.end()


def download(actor: Any, volume: Volume) -> StreamingHttpResponse:
    """All that is in it as a tar.zst, streamed. Who took it is audited."""
    with recorded(actor, Right.BACKUPS_MANAGE, volume, "volume.download", volume.name):
        policing.allow_content(actor, volume.host, volume.name, Asking(volume.host))
        calls = _Calls(volume)
        blocks = _blocks(actor, volume, calls)
        first = next(blocks)  # before the headers go out an error is still an answer
        name = f"{quote(volume.name, safe='')[:150]}-{timezone.now():%Y%m%dT%H%M%SZ}.tar.zst"
        response = file_response(from_thread(first, blocks, calls.end), name)
        response["Content-Type"] = "application/zstd"
        return response


def _blocks(actor: Any, volume: Volume, calls: _Calls) -> Iterator[bytes]:
    runs = volume.host.engine == "Podman"  # its files are read by a helper's own tar
    with _helper(actor, volume, runs=runs) as target:
        yield from packed(volume_archives.read(calls.open, target, Recast(), by_program=runs))


@contextmanager
def _helper(actor: Any, volume: Volume, *, runs: bool) -> Iterator[Target]:
    """For this download alone; what a killed process leaves goes by itself (hosts.actions.volumes.volume_files). For a team
    no program runs of an image that it does not see."""
    host = volume.host
    who = actor if runs and is_limited(actor, Right.BACKUPS_MANAGE, host) else SYSTEM
    images = likely_shells(who, host, volume.name)
    if not images:
        sentence = gettext_noop(
            "%(host)s has no image yet, and a volume is read through a container: pull any small image."
        )
        raise Failure("no_image", 409, sentence, {"host": host.name})
    endpoint, version = host.endpoint(), host.spoken_version
    if runs:
        made = volume_helpers.open_for(
            endpoint, volume.name, images, DOWNLOAD_HOURS * 3600, version=version, owner=volume_helpers.OF_DOWNLOADS
        )
    else:
        with Call(endpoint) as call:
            made = volume_helpers.make(
                call,
                volume.name,
                images[0],
                version=version,
                name=volume_helpers.new_name(),
                read_only=True,
                seconds=MAKE_SECONDS,
                owner=volume_helpers.OF_DOWNLOADS,
            )
    try:
        yield Target(endpoint, made, version, host.name)
    finally:
        volume_helpers.close(endpoint, made, version=version)
