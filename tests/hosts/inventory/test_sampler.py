"""The sampler: one-shot calls, within a budget, and what it hands over to the history."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from hosts.inventory.sampler import Sampler
from hosts.models import Container, Host, Series, StatsRound
from tests.fake_engine import Fail, FakeEngine
from tests.rows import container_json, containers

pytestmark = pytest.mark.django_db(transaction=True)


async def db(function: Any, *args: Any) -> Any:
    def work() -> Any:
        try:
            return function(*args)
        finally:
            connection.close()

    return await asyncio.to_thread(work)


@pytest.fixture
def sampler(fake_engine: FakeEngine) -> Sampler:
    host = Host.objects.create(name="quay", url=fake_engine.url, kind="tcp", state="online", cpus=2)
    containers(host, *(container_json(c.name, Id=c.id) for c in fake_engine.containers))
    return Sampler(host, host.endpoint(), "1.47", db)


def test_two_rounds_of_one_shot_calls_give_rates(sampler: Sampler, fake_engine: FakeEngine) -> None:
    async def rounds() -> None:
        await sampler._round()
        assert not await StatsRound.objects.aexists()
        await sampler._round()

    asyncio.run(rounds())
    asked = [request for request in fake_engine.requests if request.path.endswith("/stats")]
    assert len(asked) == 4
    assert {(r.query["stream"], r.query["one-shot"]) for r in asked} == {("0", "1")}
    web = Container.objects.select_related("series").get(name="web-1").series
    assert (web.cpu, web.memory, web.memory_limit) == (pytest.approx(25), 40_000_000, 8_000_000_000)
    assert Host.objects.get().cpu_percent == pytest.approx(25)  # two at 25 % of one CPU each, on two CPUs
    assert StatsRound.objects.count() == 1
    assert fake_engine.connections <= 4  # no new one for each call


def test_one_that_does_not_answer_leaves_the_others_sampled(sampler: Sampler, fake_engine: FakeEngine) -> None:
    async def rounds() -> None:
        await sampler._round()
        fake_engine.misbehave(f"/containers/{fake_engine.containers[0].id}/stats", Fail())
        await sampler._round()

    asyncio.run(rounds())
    assert sorted(Series.objects.values_list("key", flat=True)) == ["", "web-2"]


def test_a_stopped_container_has_no_numbers(sampler: Sampler, fake_engine: FakeEngine) -> None:
    async def rounds() -> None:
        await sampler._round()
        fake_engine.containers[0].state = "exited"
        await sampler._round()

    asyncio.run(rounds())
    assert sorted(Series.objects.values_list("key", flat=True)) == ["", "web-2"]


def test_many_containers_are_asked_less_often(sampler: Sampler) -> None:
    assert asyncio.run(sampler._round()) == 30
    with override_settings(STATS_SAMPLES_PER_MINUTE=1):
        assert asyncio.run(sampler._round()) == 120


def test_a_host_without_running_containers_is_at_rest(sampler: Sampler) -> None:
    Container.objects.update(state="exited")
    asyncio.run(sampler._round())
    host = Host.objects.get()
    assert (host.cpu_percent, host.memory_used) == (0, 0)
