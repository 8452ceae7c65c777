"""The watcher: what it applies is never older than what it applied before."""

import asyncio
from typing import Any

import pytest

from hosts.inventory.watcher import HostWatcher
from hosts.models import Host
from tests.rows import container_json


async def test_a_slow_list_does_not_bring_back_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full list is asked for, its answer is late; meanwhile an event makes the watcher ask for one container."""
    applied: list[str] = []
    asked = asyncio.Event()
    release = asyncio.Event()
    state = "running"

    async def get(self: HostWatcher, path: str, params: dict[str, str] | None = None) -> Any:
        answer = [container_json("web", State=state)]
        if "filters" not in (params or {}):
            asked.set()
            await release.wait()
        return answer

    async def db(function: Any, *args: Any) -> Any:
        if function.__name__ == "_apply":
            applied.append(args[2][0]["state"])
        return set(), set()

    monkeypatch.setattr(HostWatcher, "_get", get)
    watcher = HostWatcher(Host(name="quay", url="unix:///run/quay.sock", kind="unix"), db)
    full = asyncio.create_task(watcher._list("container"))
    await asyncio.wait_for(asked.wait(), 5)
    state = "exited"
    one = asyncio.create_task(watcher._list("container", only={"c" * 64}))
    await asyncio.sleep(0)  # lets the second one run as far as it can
    release.set()
    await asyncio.gather(full, one)
    assert applied == ["running", "exited"]
