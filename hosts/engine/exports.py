"""Long answers of an engine that are passed on as they come, never held: tars of file systems."""

from collections.abc import AsyncGenerator

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost
from hosts.engine.streams import open_stream, ping

HEAD_SECONDS = 30.0
SILENCE_SECONDS = 120.0  # without a byte an answer is given up


async def iter_export(endpoint: Endpoint, container_id: str, *, version: str = "") -> AsyncGenerator[bytes]:
    """The root file system of a container as a tar. Raises EngineError, also when the answer is cut."""
    stream = await open_stream(
        endpoint,
        f"/containers/{container_id}/export",
        api_version=version or await ping(endpoint),
        chunked=True,
        head_timeout=HEAD_SECONDS,
    )
    try:
        while block := await stream.read(timeout=SILENCE_SECONDS):
            yield block
        if stream.body.cut:
            raise ConnectionLost("cut in the middle of an export", where=endpoint.address)
    finally:
        stream.close()
