"""Images as files: saved by one engine, loaded by another, imported; a block at a time, never held."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from urllib.parse import urlencode

from hosts.engine.answers import EngineFailed
from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost, clean
from hosts.engine.streams import open_stream, ping

# Docker packs the whole image into a folder of its own before it sends the first byte, and unpacks the whole file
# before it answers
PACK_SECONDS = 1800.0
DOWNLOAD_SECONDS = 600.0  # a browser that waits for its download holds a thread here
SILENCE_SECONDS = 300.0
LOADED = ("Loaded image: ", "Loaded image ID: ", "Loaded image(s): ")


def save_path(names: Sequence[str]) -> str:
    """Where an engine gives these images as one tar; with names it keeps them, with ids it does not."""
    return f"/images/get?{urlencode([('names', name) for name in names])}"


async def iter_save(endpoint: Endpoint, names: Sequence[str], *, version: str = "") -> AsyncGenerator[bytes]:
    """The images as a tar, as `docker save` writes it. Raises EngineError, also when the answer is cut."""
    stream = await open_stream(
        endpoint,
        save_path(names),
        api_version=version or await ping(endpoint),
        chunked=True,
        head_timeout=DOWNLOAD_SECONDS,
    )
    try:
        while block := await stream.read(timeout=SILENCE_SECONDS):
            yield block
        if stream.body.cut:
            raise ConnectionLost("cut in the middle of an image", where=endpoint.address)
    finally:
        stream.close()


def saved(call: Call, names: Sequence[str], *, version: str) -> Iterator[bytes]:
    """The same by a call, for a job. Raises EngineError."""
    call.open("GET", save_path(names), version=version, seconds=PACK_SECONDS)
    while block := call.read(SILENCE_SECONDS):
        yield block


def load(call: Call, blocks: Iterable[bytes], *, version: str) -> list[str]:
    """Loads a tar that `docker save` wrote; the names, or ids, of the images in it. Raises EngineError."""
    # quiet: an engine that told its progress meanwhile would wait for us to read it
    call.open("POST", "/images/load", {"quiet": "1"}, version=version, blocks=blocks, seconds=PACK_SECONDS)
    return [_name(line) for line in _told(call) if line.startswith(LOADED)]


def import_(
    call: Call, blocks: Iterable[bytes], *, repo: str, tag: str, message: str, changes: Sequence[str], version: str
) -> str:
    """Makes an image of the tar of a root file system; its id. Raises EngineError."""
    query = [("fromSrc", "-"), ("repo", repo), ("tag", tag), ("message", message), *(("changes", c) for c in changes)]
    path = f"/images/create?{urlencode(query)}"
    call.open("POST", path, version=version, blocks=blocks, seconds=PACK_SECONDS)
    lines = list(_told(call))
    return lines[-1] if lines else ""


def _name(line: str) -> str:
    return next(line.removeprefix(words) for words in LOADED if line.startswith(words))


def _told(call: Call) -> Iterator[str]:
    """What an engine says while it takes a file. Raises EngineFailed for what it says went wrong."""
    for event in call.read_events(PACK_SECONDS):
        if event.get("error"):
            raise EngineFailed(str(event["error"]), where=call.endpoint.address)
        if line := clean(event.get("stream") or event.get("status") or ""):
            yield line
