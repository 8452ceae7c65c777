"""Recorded terminals: through the real socket, on a real engine; the page and REST that give them to who reads the audit."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.rights import Role
from dashboard import environment
from hosts import recordings
from hosts.models import Host, Recording
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import Socket, a_person, mirror, open_socket
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]


@pytest.fixture(autouse=True)
def recorded(settings: Any) -> None:
    """Terminals on hosts with the label tier=production are."""
    settings.TERMINALS_RECORDED = "tier=production"


async def ready(socket: Socket) -> dict[str, Any]:
    return (await socket.until(lambda: socket.of_kind("ready")))[0]


@database_sync_to_async
def label(host: Host, **labels: str) -> None:
    Host.objects.filter(pk=host.pk).update(labels=labels)


@database_sync_to_async
def stored() -> list[Recording]:
    return list(Recording.objects.order_by("pk"))


async def events(recording: Recording) -> list[Any]:
    """The asciicast, line by line, which must all be JSON."""
    whole = b"".join([part async for part in recordings.cast(recording)])
    return [json.loads(line) for line in whole.splitlines()]


@database_sync_to_async
def audited(action: str) -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action=action).order_by("pk").values_list("detail", flat=True))


async def until_ended() -> Recording:
    async with asyncio.timeout(10):
        while not (found := await stored()) or found[-1].end == "open":
            await asyncio.sleep(0.05)
    return found[-1]


async def test_what_a_terminal_shows_is_kept_with_its_sizes_and_not_what_is_typed(
    docker_engine: DockerEngine, run: Runner
) -> None:
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="production")
    query = {"target": f"harbour/{name}", "cols": 111, "rows": 33}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        assert await ready(socket) == {"t": "ready", "mode": "exec", "tty": True, "recorded": True}
        await socket.send(b"echo caf\xc3\xa9 $((40+2))\n")
        await socket.until(lambda: b"42\r\n" in socket.output)
        await socket.send({"t": "resize", "cols": 77, "rows": 22})
        await socket.send(b"stty -echo; read secret; stty echo\n")
        await asyncio.sleep(0.5)
        await socket.send(b"canary-4711\n")
        await socket.send(b"exit 7\n")
        await socket.closed()
    recording = await until_ended()
    about, *shown = await events(recording)
    assert (about["version"], about["width"], about["height"]) == (2, 111, 33)
    assert about["title"] == f"harbour/{name}" and about["timestamp"] == int(recording.began.timestamp())
    text = "".join(said for _, kind, said in shown if kind == "o")
    assert text.encode() == socket.output.replace(b"\xc3\xa9", "é".encode()) and "café 42" in text
    assert "canary" not in json.dumps(shown)
    assert [said for _, kind, said in shown if kind == "r"][-1] == "77x22"
    times = [at for at, _, _ in shown]
    assert times == sorted(times) and times[-1] <= recording.seconds
    assert (recording.end, recording.bytes) == ("ended", len(socket.output))
    assert [detail["recording"] for detail in await audited("terminal.open")] == [recording.pk]
    assert [detail["recording"] for detail in await audited("terminal.close")] == [recording.pk]


async def test_other_hosts_terminals_are_not_and_say_so(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="testing")
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}") as socket:
        assert (await ready(socket))["recorded"] is False
        await socket.send(b"exit\n")
        await socket.closed()
    assert await stored() == []


async def test_one_that_is_cut_off_is_whole_until_there(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="production")
    command = "sh -c 'while :; do echo tick; sleep 0.1; done'"
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd=command) as socket:
        await socket.until(lambda: socket.output.count(b"tick") > 14)
        (open_one,) = await stored()  # what a killed process would leave
        assert len(await events(open_one)) > 1
    assert sum(said.count("tick") for _, _, said in (await events(await until_ended()))[1:]) > 14


async def test_a_write_that_is_cut_off_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is gone while the database takes its time: what comes then is behind it."""
    plain = recordings._write

    def slow(*args: Any) -> None:
        time.sleep(0.5)
        plain(*args)

    recorder = await recordings.Recorder.begin(await a_person(), "quay", "web", None, mode="exec", command="sh")
    monkeypatch.setattr(recordings, "_write", slow)
    for word in (b"one", b"two"):
        await recorder.output(word)
        writing = asyncio.create_task(recorder.write())
        await asyncio.sleep(0.1)
        writing.cancel()
    await recorder.output(b"three")
    await recorder.end()
    assert [said for _, _, said in (await events(recorder.recording))[1:]] == ["one", "two", "three"]
    assert recorder.failed == ""


async def test_one_whose_terminal_does_not_open_is_ended(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="production")
    await asyncio.to_thread(docker_engine.docker, "stop", "-t", "0", name)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}") as socket:
        await socket.closed()
    assert "is not running" in socket.of_kind("error")[0]["reason"]
    assert (await until_ended()).end == "ended"


async def test_much_output_is_kept_in_order_and_ends_the_terminal_where_it_is_too_much(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "OUTPUT_AT_MOST", 3 << 20)
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="production")
    query = {"target": f"harbour/{name}", "cmd": "sh -c 'seq 1 1000000'"}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        await socket.closed()
    assert "it has shown 3 MB" in socket.of_kind("error")[0]["reason"]
    recording = await until_ended()
    text = "".join(said for _, _, said in (await events(recording))[1:])
    lines = text.split("\r\n")[:-1]
    assert recording.end == "full" and len(text) > 3_000_000
    assert lines == [str(n) for n in range(1, len(lines) + 1)]
    assert text.encode().startswith(socket.output)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_what_cannot_be_recorded_is_no_terminal(
    docker_engine: DockerEngine, run: Runner, settings: Any, when: str
) -> None:
    name = run("sleep 1000")
    await label(await mirror(docker_engine), tier="production")
    if when == "before":
        settings.RECORDINGS_MB = 0
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd="/bin/sh -i") as socket:
        if when == "meanwhile":
            await ready(socket)
            settings.RECORDINGS_MB = 0
            await socket.send(b"echo more\n")
        await socket.closed()
    (said,) = socket.of_kind("error")
    assert said["code"] == "not_recorded" and "RECORDINGS_MB" in said["reason"]
    if when == "before":
        assert [detail["reason"] for detail in await audited("terminal.open")] == ["not_recorded"]
    assert [recording.end for recording in await stored()] == ([] if when == "before" else ["full"])
    async with asyncio.timeout(10):
        while "/bin/sh -i" in await asyncio.to_thread(docker_engine.docker, "top", name, "-eo", "pid,args"):
            await asyncio.sleep(0.1)


# ---------------------------------------------------------------- who gets them
def a_recording(**more: Any) -> Recording:
    about: dict[str, Any] = {"host": "quay", "container": "web", "by_name": "otto", "mode": "exec", "command": "sh"}
    recording = Recording.objects.create(**{**about, "columns": 80, "rows": 24, **more})
    about = {"seconds": 1.5, "bytes": 5, "end": "ended"}
    recordings._write(recording, 0, recordings.header(recording) + b'[0.1,"o","<b>ahoy</b>"]\n', about)
    return recording


def test_who_reads_the_audit_finds_replays_and_downloads_it_and_that_is_on_record(client: Client) -> None:
    recording = a_recording(container="<script>alert(1)</script>")
    client.force_login(person("ada", "admin"))
    page = client.get("/audit/terminals/?search=otto").content.decode()
    assert f"/audit/terminals/{recording.pk}/" in page and "<script>alert" not in page
    replay = client.get(f"/audit/terminals/{recording.pk}/").content.decode()
    assert f'src="/audit/terminals/{recording.pk}/cast/"' in replay and "<script>alert" not in replay
    for address in (f"/audit/terminals/{recording.pk}/cast/", f"/api/v1/recordings/{recording.pk}/cast"):
        answer: Any = client.get(address)
        assert whole(answer).endswith(b'[0.1,"o","<b>ahoy</b>"]\n')
        assert answer["Content-Disposition"].startswith("attachment") and answer["X-Content-Type-Options"] == "nosniff"
    assert client.get("/api/v1/recordings?by=otto").json()["items"][0]["id"] == recording.pk
    read = AuditEntry.objects.filter(action="recording.read")
    assert [entry.detail for entry in read] == [{"recording": recording.pk, "by": "otto"}] * 2


@async_to_sync
async def whole(answer: Any) -> bytes:
    return b"".join([part async for part in answer])


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_nobody_else_gets_one_and_cannot_tell_whether_there_is_one(client: Client, role: Role) -> None:
    recording = a_recording()
    client.force_login(person("otto", role))
    for pk in (recording.pk, 4_711_000):
        for address in ("/audit/terminals/", f"/audit/terminals/{pk}/", f"/audit/terminals/{pk}/cast/"):
            assert client.get(address).status_code == 403, (role, address)
        for address in ("recordings", f"recordings/{pk}", f"recordings/{pk}/cast"):
            assert client.get(f"/api/v1/{address}").status_code == 403, (role, address)
    client.force_login(person("ada", "admin"))
    for number in (4_711_000, 0, 1 << 70):
        assert client.get(f"/audit/terminals/{number}/cast/").status_code == 404


def test_old_ones_are_forgotten_and_that_is_on_record(settings: Any) -> None:
    old, new = a_recording(), a_recording()
    Recording.objects.filter(pk=old.pk).update(began=timezone.now() - timedelta(days=91))
    assert recordings.forget_old() == 1
    assert list(Recording.objects.all()) == [new]
    (entry,) = AuditEntry.objects.filter(action="recording.forget")
    assert entry.actor_name == "system" and entry.detail["recordings"] == 1
    settings.RECORDINGS_KEPT_DAYS = 0
    Recording.objects.update(began=timezone.now() - timedelta(days=9100))
    assert recordings.forget_old() == 0


def test_a_setting_that_names_no_label_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINALS_RECORDED", "=production")
    with pytest.raises(ImproperlyConfigured, match="neither all nor a label"):
        environment.label("TERMINALS_RECORDED")
