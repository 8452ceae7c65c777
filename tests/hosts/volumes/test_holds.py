"""What jobs about volumes hold is put back: at their end, when they are cancelled, and when nobody is left to do it."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from accounts.rights import SYSTEM
from common.errors import Conflict, Denied
from hosts.actions.volumes import holds, volume_files
from hosts.actions.volumes.put_back import put_back
from hosts.engine.connect import check
from hosts.engine.endpoint import Endpoint
from hosts.engine.volume_helpers import HELPER_LABEL, OF_JOBS, OF_PAGES, new_name
from hosts.models import Hold, Host
from jobs.models import Job, JobState
from jobs.run import Cancelled, JobContext
from tests.engines.docker_engine import DockerEngine
from tests.rows import container_json, containers, person
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def quay(docker_engine: DockerEngine) -> Host:
    version = check(Endpoint(docker_engine.url))["api_version"]
    return Host.objects.create(name="quay", url=docker_engine.url, kind="tcp", state="online", api_version=version)


@pytest.fixture
def volume(docker_engine: DockerEngine) -> Iterator[str]:
    name = f"cargo-{uuid4().hex[:8]}"
    docker_engine.docker("volume", "create", name)
    yield name
    docker_engine.docker("volume", "rm", name)  # also proves that no helper is left


def a_job(role: str = "deployer") -> JobContext:
    """One that runs, of somebody with that role."""
    job = Job.objects.create(kind="volume.copy", by=person(f"p{uuid4().hex[:6]}", role), state=JobState.RUNNING)
    return JobContext(job)


def runs(engine: DockerEngine, name: str) -> bool:
    return engine.docker("inspect", "-f", "{{.State.Running}}", name).strip() == "true"


def volumes(engine: DockerEngine) -> set[str]:
    return set(engine.docker("volume", "ls", "-q").split())


def helpers(engine: DockerEngine) -> list[str]:
    return engine.docker("ps", "-aq", "--filter", f"label={HELPER_LABEL}=job").split()


def test_users_of_a_volume_are_stopped_and_started_again(
    docker_engine: DockerEngine, quay: Host, volume: str, run: Any
) -> None:
    user = run("trap 'exit 0' TERM; while :; do sleep 0.1; done", "-v", f"{volume}:/data")
    ended = run("exit 0", "-v", f"{volume}:/data")
    other = run("sleep 300", "-v", f"{volume}-too:/data")
    until(lambda: not runs(docker_engine, ended), "it ends")
    context = a_job()
    with pytest.raises(ZeroDivisionError), holds.stopped_users(context, quay, volume) as names:
        assert names == [user]
        assert not runs(docker_engine, user) and runs(docker_engine, other)
        raise ZeroDivisionError  # whatever fails inside
    assert runs(docker_engine, user) and not runs(docker_engine, ended)
    lines = list(context.job.lines.values_list("text", flat=True))  # type: ignore[attr-defined]
    assert lines == [f"Stopped {user}.", f"Started {user} again on quay."]
    assert not Hold.objects.exists() and context.left == {}
    docker_engine.docker("rm", "-f", other)
    docker_engine.docker("volume", "rm", f"{volume}-too")


def test_nothing_is_stopped_that_would_not_come_back_or_by_who_may_not(
    docker_engine: DockerEngine, quay: Host, volume: str, run: Any
) -> None:
    user = run("sleep 300", "-v", f"{volume}:/data")
    with pytest.raises(Denied), holds.stopped_users(a_job("viewer"), quay, volume):
        pass
    brief = run("sleep 300", "-v", f"{volume}:/data", "--rm")
    with pytest.raises(Conflict, match="removes it when it is stopped"), holds.stopped_users(a_job(), quay, volume):
        pass
    docker_engine.docker("rm", "-f", brief)
    task = run("sleep 300", "-v", f"{volume}:/data", "--label", "com.docker.swarm.task.id=t1")
    with pytest.raises(Conflict, match="Swarm would start another"), holds.stopped_users(a_job(), quay, volume):
        pass
    assert runs(docker_engine, user) and runs(docker_engine, task)


def test_a_job_cancelled_while_a_container_stops_is_over_at_once_and_the_container_comes_back(
    docker_engine: DockerEngine, quay: Host, volume: str, run: Any
) -> None:
    stubborn = run("trap '' TERM; while :; do sleep 0.1; done", "-v", f"{volume}:/data", "--stop-timeout", "5")
    started = docker_engine.docker("inspect", "-f", "{{.State.StartedAt}}", stubborn)
    context = a_job()
    threading.Timer(0.5, context.cancel).start()
    went = time.monotonic()
    with pytest.raises(Cancelled), holds.stopped_users(context, quay, volume):
        pass
    assert time.monotonic() - went < 4  # and not when the container has stopped
    words = f"{stubborn} on quay was stopped and is not started again yet. It is still being stopped."
    assert context.left == {"left": [f"{words} Dermaga goes on trying."]}
    Job.objects.update(state=JobState.CANCELLED, result=context.left)

    def is_back() -> bool:
        Hold.objects.update(tried=None)  # the next round of the clock
        put_back(SYSTEM)
        return not Hold.objects.exists()

    until(is_back, "it is put back")
    assert docker_engine.docker("inspect", "-f", "{{.State.StartedAt}}", stubborn) != started
    assert runs(docker_engine, stubborn)
    assert Job.objects.get().left[1:] == [f"Started {stubborn} again on quay."]


def test_what_a_killed_worker_held_is_put_back_when_its_job_is_marked_as_interrupted(
    docker_engine: DockerEngine, quay: Host, volume: str, run: Any
) -> None:
    user = run("sleep 300", "-v", f"{volume}:/data", "--stop-timeout", "0")
    context, half = a_job(), f"{volume}-half"
    with ExitStack() as never_unwound:
        never_unwound.enter_context(holds.stopped_users(context, quay, volume))
        never_unwound.enter_context(holds.filling(context, quay, half, labels={"team": "web"}))
        never_unwound.enter_context(holds.helper(context, quay, half))
        killed = never_unwound.pop_all()
    put_back(SYSTEM)
    assert half in volumes(docker_engine) and helpers(docker_engine) and not runs(docker_engine, user)  # it still runs
    Job.objects.update(state=JobState.INTERRUPTED)
    put_back(SYSTEM)
    assert half not in volumes(docker_engine) and not helpers(docker_engine) and runs(docker_engine, user)
    assert not Hold.objects.exists()
    left = Job.objects.get().left
    assert left[0].startswith("Removed the helper container dermaga-files-")
    assert left[1:] == [f"Removed the half filled volume {half} from quay.", f"Started {user} again on quay."]
    killed.close()


def test_a_volume_that_is_there_is_not_filled_and_one_that_fails_is_removed(
    docker_engine: DockerEngine, quay: Host, volume: str
) -> None:
    context = a_job()
    with (
        pytest.raises(Conflict, match=f"There is a volume called {volume} on quay already"),
        holds.filling(context, quay, volume, labels={}),
    ):
        pass
    with pytest.raises(ZeroDivisionError), holds.filling(context, quay, f"{volume}-new", labels={}):
        assert f"{volume}-new" in volumes(docker_engine)
        raise ZeroDivisionError
    assert volume in volumes(docker_engine) and f"{volume}-new" not in volumes(docker_engine)
    assert not Hold.objects.exists()


def test_a_helper_of_pages_that_never_ran_goes_after_half_an_hour(docker_engine: DockerEngine, quay: Host) -> None:
    """The table says how old they are: the engine's own time cannot be set back."""
    made, hour = {}, 3600
    for what, label, age in (("old", OF_PAGES, hour), ("new", OF_PAGES, 60), ("of a job", OF_JOBS, hour)):
        name = new_name()
        labels = {HELPER_LABEL: label}
        engine_id = docker_engine.docker(
            "create", "--name", name, "--label", f"{HELPER_LABEL}={label}", "busybox"
        ).strip()
        created = int(time.time()) - age
        made[what] = container_json(
            name, Id=engine_id, Names=[f"/{name}"], State="created", Labels=labels, Created=created
        )
    containers(quay, *made.values())
    volume_files.close_old(SYSTEM)
    there = docker_engine.docker("ps", "-aq", "--no-trunc").split()
    assert {what: entry["Id"] in there for what, entry in made.items()} == {"old": False, "new": True, "of a job": True}
    docker_engine.docker("rm", made["new"]["Id"], made["of a job"]["Id"])
