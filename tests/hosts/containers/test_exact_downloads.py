"""The download of a log, from the page and from the API, is byte for byte what `docker logs` prints."""

import asyncio
import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.ways import AnyEngine
from tests.hosts.consumers.sockets import a_person, mirror

pytestmark = pytest.mark.django_db(transaction=True)

PLAIN = "echo a; echo b >&2; echo; echo c"
MEGABYTES = "for n in 1 2 3; do head -c 1000000 /dev/zero | tr '\\0' $n; echo; echo err $n >&2; done"
# 16 KiB is where an engine cuts a line in two: just below, just that, just above, and twice as long
PIECES = "for n in 16383 16384 16385 32768 32769; do head -c $n /dev/zero | tr '\\0' p; echo; done; echo end"
BYTES = "printf 'a\\377\\376b\\303(\\n'; printf 'nul \\0\\0 nul\\n\\0\\n'; printf '\\200\\201' >&2; echo >&2"
COLOURS = "printf '\\033[31mred\\033[0m \\033[38;2;1;2;3mtrue\\033[0m\\n\\033[2J\\033]0;title\\007\\n10%%\\r20%%\\n'"
UNFINISHED = "echo a; echo e >&2; printf 'no newline'; printf 'none here either' >&2"
EMPTY = "echo; echo; echo >&2; echo; echo >&2; printf '\\n\\n\\n'"
BOTH = "i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"
ROTATED = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo last >&2"
LOCAL = ("--log-driver", "local")
SMALL = ("--log-opt", "max-size=20k", "--log-opt", "max-file=3")

EVERYWHERE: dict[str, tuple[str, ...]] = {  # name -> script, options of docker run
    "plain": (PLAIN,),
    "megabytes": (MEGABYTES,),
    "pieces": (PIECES,),
    "bytes": (BYTES,),
    "colours": (COLOURS,),
    "unfinished": (UNFINISHED,),
    "empty": (EMPTY,),
    "both": (BOTH,),
    "nothing": ("true",),
    "rotated": (ROTATED, "--log-opt", "max-size=20k"),
    "plain-tty": (PLAIN, "-t"),
    "megabytes-tty": (MEGABYTES, "-t"),
    "bytes-tty": (BYTES, "-t"),
    "colours-tty": (COLOURS, "-t"),
    "unfinished-tty": (UNFINISHED, "-t"),
}
ON_DOCKER = {
    "equal": ("echo this log is rewritten below",),
    "rotated-twice": (ROTATED, *SMALL),
    "rotated-tty": (ROTATED, *SMALL, "-t"),
    "plain-local": (PLAIN, *LOCAL),
    "megabytes-local": (MEGABYTES, *LOCAL),
    "pieces-local": (PIECES, *LOCAL),
    "bytes-local": (BYTES, *LOCAL),
    "unfinished-local": (UNFINISHED, *LOCAL),
    "both-local": (BOTH, *LOCAL),
    "rotated-local": (ROTATED, *LOCAL, *SMALL),
    "tty-local": (MEGABYTES, *LOCAL, "-t"),
}


def torture(engine: AnyEngine, fixtures: dict[str, tuple[str, ...]]) -> Iterator[tuple[AnyEngine, list[str]]]:
    """Containers that have logged it all and ended."""
    names = [f"torture-{name}" for name in fixtures]

    def make(name: str, script: str, *options: str) -> None:
        engine.docker("run", "--name", f"torture-{name}", *options, "busybox", "sh", "-c", script)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item: make(item[0], *item[1]), fixtures.items()))
    yield engine, names
    engine.docker("rm", "-f", *names)


@pytest.fixture(scope="module")
def on_docker(docker_engine: DockerEngine) -> Iterator[tuple[AnyEngine, list[str]]]:
    for engine, names in torture(docker_engine, EVERYWHERE | ON_DOCKER):
        stamp_alike(engine, "torture-equal")
        yield engine, names


@pytest.fixture(scope="module")
def on_podman(podman_engine: PodmanEngine) -> Iterator[tuple[AnyEngine, list[str]]]:
    yield from torture(podman_engine, EVERYWHERE)


def stamp_alike(engine: AnyEngine, name: str) -> None:
    """Gives the log equal lines at one timestamp: an engine's clock has never made two."""
    entry = {"log": "same\n", "stream": "stdout", "time": "2026-11-24T06:38:36.100813562Z"}
    other = {"log": "other\n", "stream": "stderr", "time": "2026-11-24T06:38:36.100813562Z"}
    lines = [entry] * 500 + [other] * 2 + [entry] * 500
    path = engine.docker("inspect", "-f", "{{.LogPath}}", name).strip()
    Path(path).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def by_docker(engine: AnyEngine, *args: str) -> tuple[bytes, bytes, bytes]:
    """What `docker logs` prints: into one pipe for both streams, and apart."""
    command = ["docker", "-H", engine.unix_url, "logs", *args]
    merged = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True).stdout
    apart = subprocess.run(command, capture_output=True, check=True)
    return merged, apart.stdout, apart.stderr


async def by_us(client: AsyncClient, url: str) -> bytes:
    answer: Any = await client.get(url)
    assert answer.status_code == 200, url
    return b"".join([block async for block in answer.streaming_content])


@pytest.mark.parametrize("fixture", ["on_docker", "on_podman"])
async def test_every_log_is_downloaded_as_docker_logs_prints_it(fixture: str, request: pytest.FixtureRequest) -> None:
    engine, names = await asyncio.to_thread(request.getfixturevalue, fixture)
    await mirror(engine)
    client = AsyncClient()
    await client.aforce_login(await a_person("viewer"))
    different, seen = [], set()
    for name in names:
        page, api = f"/containers/harbour/{name}/logs/download/", f"/api/v1/containers/harbour/{name}/logs"
        merged, out, err = await asyncio.to_thread(by_docker, engine, name)
        stamped, *_ = await asyncio.to_thread(by_docker, engine, "-t", name)
        wanted = {
            page: merged,
            api: merged,
            f"{api}?stderr=0": out,
            f"{api}?stdout=0": err,
            f"{page}?timestamps=1": stamped,
        }
        for url, theirs in wanted.items():
            ours = await by_us(client, url)
            if hashlib.sha256(ours).digest() != hashlib.sha256(theirs).digest():
                different.append(f"{url}: {len(ours)} bytes, docker logs {len(theirs)}")
        seen.add(hashlib.sha256(merged).digest())
    assert different == []
    assert len(names) >= 15
    assert len(seen) >= 10  # they are not all alike, or empty
