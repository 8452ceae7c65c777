"""The watcher's database thread: a lease and a host's state never wait behind the reading in of large hosts."""

import asyncio
import threading

import pytest

from hosts.inventory import apply
from hosts.inventory.database import RANK, Database


@pytest.fixture
def ranks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; `apply.apply_state` and `apply.apply_details` do nothing but say so."""
    done: list[str] = []
    for name in ("apply_state", "apply_details"):

        def act(*args: object, name: str = name) -> None:
            done.append(name)

        monkeypatch.setitem(RANK, act, RANK[getattr(apply, name)])
        monkeypatch.setattr(apply, name, act)
    return done


def test_what_is_urgent_overtakes_what_waits(ranks: list[str]) -> None:
    async def work() -> None:
        db, gate = Database(), threading.Event()
        busy = asyncio.create_task(db(gate.wait, 10))
        waiting = [asyncio.create_task(db(function)) for function in (apply.apply_details, ranks.copy)]
        await asyncio.sleep(0)
        urgent = asyncio.create_task(db(apply.apply_state))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(busy, *waiting, urgent)
        await db.close()

    asyncio.run(work())
    assert ranks == ["apply_state", "apply_details"]


def test_what_went_wrong_is_raised_where_it_was_asked_and_work_goes_on() -> None:
    async def work() -> str:
        db = Database()
        with pytest.raises(ZeroDivisionError):
            await db(divmod, 1, 0)
        found = str(await db(str, 7))
        await db.close()
        return found

    assert asyncio.run(work()) == "7"
