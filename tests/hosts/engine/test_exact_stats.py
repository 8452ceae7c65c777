"""The numbers are those of `docker stats`, `podman stats` and the kernel: Docker of two generations and Podman, a busy container in
two networks."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hosts.engine.endpoint import Endpoint
from hosts.engine.stats import Sample, read_rates, read_sample
from hosts.engine.streams import fetch, open_stream
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine

API = "1.41"
SECONDS = 4.0  # how long both are watched
UNITS = {"B": 1, "kB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1024, "MiB": 2**20, "GiB": 2**30}
# 40 MB of memory, 30 MB of file cache in use, a third of a CPU
BUSY = (
    "dd if=/dev/zero of=/dev/shm/m bs=1M count=40 2>/dev/null; dd if=/dev/zero of=/f bs=1M count=30 2>/dev/null; "
    "cat /f >/dev/null; touch /ready; while :; do :; done"
)
GATEWAYS = r"ip -4 addr show | sed -n 's/.*inet \([0-9.]*\)\.[0-9]*[/].* scope global.*/\1.1/p'"
SENT = 100 * 1000  # bytes to each gateway


@dataclass
class Busy:
    """A running container and its engine."""

    engine: DockerEngine | PodmanEngine
    id: str

    def ask(self) -> Any:
        """One one-shot answer."""
        path, params = f"/containers/{self.id}/stats", {"stream": "0", "one-shot": "1"}
        return asyncio.run(fetch(Endpoint(self.engine.unix_url), path, params, api_version=API, timeout=20))

    def kernel(self) -> int:
        """CPU nanoseconds that the kernel has counted."""
        (file,) = Path("/sys/fs/cgroup/cpuacct").glob(f"**/*{self.id}/cpuacct.usage")
        return int(file.read_text())


@pytest.fixture(params=["docker_engine", "newer_engine", "podman_engine"])
def busy(request: pytest.FixtureRequest) -> Iterator[Busy]:
    engine = request.getfixturevalue(request.param)
    engine.docker("network", "create", "second")
    run = ("run", "-d", "--name", "busy", "--cpus", "0.3")
    container = engine.docker(*run, "busybox", "sh", "-c", BUSY).strip()
    try:
        engine.docker("network", "connect", "second", "busy")
        wait = "while [ ! -e /ready ]; do usleep 50000; done"
        ping = f"for gateway in $({GATEWAYS}); do ping -q -c 100 -i 0.01 -s 1000 $gateway; done"
        engine.docker("exec", "busy", "sh", "-c", f"{wait}; {ping}")
        yield Busy(engine, container)
    finally:
        engine.docker("rm", "-f", "busy")
        engine.docker("network", "rm", "second")


def in_bytes(text: str) -> float:
    """What `docker stats` prints (1.5MiB) as bytes."""
    found = re.fullmatch(r"([\d.]+)([A-Za-z]+)", text.strip())
    assert found, text
    return float(found[1]) * UNITS[found[2]]


def said_by_the_command_line(engine: DockerEngine | PodmanEngine) -> list[dict[str, Any]]:
    """What `docker stats busy` shows in a few seconds."""
    environment = engine.run.environment(DOCKER_HOST=engine.unix_url)
    command = ["docker", "stats", "--format", "{{json .}}", "busy"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as showing:
        try:
            output, _ = showing.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            showing.kill()
            output, _ = showing.communicate()
    return [json.loads(line) for line in re.findall(r"\{.*?\}", output)]


async def streamed(busy: Busy, seconds: float) -> list[Sample]:
    """What we read of the same stream meanwhile."""
    path, found, rest = f"/containers/{busy.id}/stats", [], b""
    stream = await open_stream(Endpoint(busy.engine.unix_url), path, {"stream": "1"}, api_version=API)
    try:
        async with asyncio.timeout(seconds):
            while block := await stream.read():
                *whole, rest = (rest + block).split(b"\n")
                found += [sample for line in whole if (sample := read_sample(json.loads(line)))]
    except TimeoutError:
        return found
    finally:
        stream.close()
    return found


# not Podman: of its answers the command line computes CPU by a counter that leaves idle time out
@pytest.mark.parametrize("busy", ["docker_engine", "newer_engine"], indirect=True)
def test_each_number_of_docker_stats_is_one_of_ours(busy: Busy) -> None:
    async def watch() -> tuple[list[dict[str, Any]], list[Sample]]:
        ours = asyncio.create_task(streamed(busy, SECONDS + 1))
        theirs = await asyncio.to_thread(said_by_the_command_line, busy.engine)
        return theirs, await ours

    theirs, ours = asyncio.run(watch())
    numbers = {float(row["CPUPerc"].rstrip("%")) for row in theirs if row["CPUPerc"] != "--"}
    shown = {number for number in numbers if number > 1}  # its first one compares with the machine's start
    assert shown
    for cpu in shown:  # all readers of a container get the same samples
        assert min(abs(cpu - sample.cpu_percent) for sample in ours) < 0.02
    check_the_rest(theirs[-1], ours)


def check_the_rest(said: dict[str, Any], ours: list[Sample]) -> None:
    """Memory, networks and processes of one row of `docker stats`, as our sample of that moment has them."""
    used, limit = map(in_bytes, said["MemUsage"].split("/"))
    sample = min(ours, key=lambda sample: abs(sample.memory_used - used))
    assert sample.memory_used == pytest.approx(used, rel=0.01)
    assert sample.memory_limit == pytest.approx(limit, rel=0.01)
    assert sample.memory_used > 70 * 10**6
    assert (sample.net_rx, sample.net_tx) == pytest.approx(tuple(map(in_bytes, said["NetIO"].split("/"))), rel=0.01)
    assert min(sample.net_rx, sample.net_tx) > 2 * SENT  # both networks
    assert sample.pids == int(said["PIDs"])


def test_one_shot_answers_give_what_the_kernel_counted(busy: Busy) -> None:
    counted, began = [busy.kernel()], time.monotonic()
    first, asked = busy.ask(), time.monotonic()
    counted.append(busy.kernel())
    time.sleep(2)  # what is measured is a stretch of time
    counted.append(busy.kernel())
    again = time.monotonic()
    second, seconds = busy.ask(), time.monotonic() - asked
    least, most = again - asked, time.monotonic() - began  # an answer is of some moment while it was asked for
    counted.append(busy.kernel())
    used = [answer["cpu_stats"]["cpu_usage"]["total_usage"] for answer in (first, second)]
    assert counted[0] <= used[0] <= counted[1] and counted[2] <= used[1] <= counted[3]
    rates = read_rates(second, first, seconds)
    assert rates is not None
    percents = (used[1] - used[0]) / 1e7
    assert percents / most - 2 <= rates.cpu <= percents / least + 2
    row = json.loads(busy.engine.docker("stats", "--no-stream", "--format", "{{json .}}", "busy"))
    sample = read_sample(busy.ask())
    assert sample is not None
    check_the_rest(row, [sample])
    assert rates.memory == pytest.approx(sample.memory_used, rel=0.01)


def rows_of_podman(busy: Busy, count: int) -> list[dict[str, Any]]:
    """What `podman stats` shows, a row every two seconds."""
    command = ["podman", "--remote", "--url", busy.engine.unix_url, "stats", "--interval", "2", "--format", "json"]
    environment, text = busy.engine.run.environment(), ""
    with subprocess.Popen([*command, "busy"], env=environment, stdout=subprocess.PIPE, text=True) as showing:
        assert showing.stdout
        while text.count("]\n") < count and (line := showing.stdout.readline()):
            text += line
        showing.kill()
    return [json.loads(row) for row in re.findall(r"\{.*?\}", text, re.DOTALL)]


@pytest.mark.parametrize("busy", ["podman_engine"], indirect=True)
def test_podman_stats_shows_the_same_numbers(busy: Busy) -> None:
    """Its own command line; memory is shown there with the file cache that Docker leaves out."""
    first, asked = busy.ask(), time.monotonic()
    row = rows_of_podman(busy, 2)[1]  # the first one is the mean since the start
    second = busy.ask()
    rates, sample = read_rates(second, first, time.monotonic() - asked), read_sample(second)
    assert rates is not None and sample is not None
    assert rates.cpu == pytest.approx(float(row["cpu_percent"].rstrip("%")), abs=2)
    used, limit = map(in_bytes, row["mem_usage"].split(" / "))
    cache = second["memory_stats"].get("stats", {}).get("total_inactive_file", 0)  # where it is told, it was taken off
    assert sample.memory_used + cache == pytest.approx(used, rel=0.01)
    assert sample.memory_limit == pytest.approx(limit, rel=0.01)
    shown = tuple(map(in_bytes, row["net_io"].split(" / ")))
    assert (sample.net_rx, sample.net_tx) == pytest.approx(shown, rel=0.01)
    assert sample.pids == int(row["pids"])
