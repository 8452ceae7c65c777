"""Two teams that do not trust each other, and a walk over all that the product shows: for tests/test_rivals.py, where each
has a host, and tests/test_shared_host.py, where both have things on one."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from accounts.models import Grant, Team, User
from api.examples import Example
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import (
    Backup,
    Container,
    Destination,
    Event,
    Host,
    Image,
    Network,
    Plugin,
    Policy,
    Registry,
    Series,
    Volume,
)
from hosts.models.backups import BackupState
from jobs import queue, schedules
from jobs.models import Job, JobState, Schedule
from tests.rows import container_json
from tests.test_guard import our_routes

LIBRARY = "account/"
OURS, THEIRS, NOBODYS = "quay", "rival", "nobody"  # what the names of things begin with; nobody's are not there


def shape(word: str) -> str:
    """The id of its image."""
    return f"sha256:{word.encode().hex():7<64}"


def everything_on(host: Host, word: str = "", owner: Team | None = None, *, within: str = "") -> None:
    """One object of each noun on the host, each with `word` (the host's name) in its own, and what was done to them. Those
    that a team can own are `owner`'s. The container uses them, and also the network and the volume called by `within`."""
    word, seen = word or host.name, timezone.now()
    mine: dict[str, Any] = {"owner": owner, "labels": {"dermaga.team": owner.name}} if owner else {}
    image = {"engine_id": shape(word), "name": f"{word}/app:1", "tags": [f"{word}/app:1"], "size": 5}
    Image.objects.create(host=host, seen=seen, **image, owner=owner)
    labels = {"com.docker.compose.project": f"{word}-shop", "com.docker.compose.service": f"{word}-front"}
    words = [one for one in (word, within) if one]
    entry = container_json(
        f"{word}-web",
        Image=f"{word}/app:1",
        ImageID=shape(within or word),
        Labels=labels | mine.get("labels", {}),
        Mounts=[{"Type": "volume", "Name": f"{one}-data", "Destination": f"/{one}", "RW": True} for one in words],
        NetworkSettings={"Networks": {f"{one}-net": {"IPAddress": "10.0.0.9"} for one in words}},
    )
    row = parse.container_row(entry)
    apply.apply_rows(host, "container", [row], only={row["engine_id"]} if row else set())
    Network.objects.create(host=host, engine_id=f"{word:0<64}", name=f"{word}-net", driver="bridge", seen=seen, **mine)
    data = Volume.objects.create(host=host, name=f"{word}-data", driver="local", size=9, seen=seen, **mine)
    Plugin.objects.create(host=host, engine_id=f"{word:1<64}", name=f"{word}-plugin:latest", kind="x/1", seen=seen)
    made = {"kind": "container", "action": "start", "actor_id": f"{word:c<64}", "actor_name": f"{word}-web"}
    Event.objects.create(host=host, time=seen, owner=owner, **made)
    series = {"sampled": seen, "cpu": 1, "memory": 1, "memory_limit": 2, "spark": b""}
    found = Series.objects.create(host=host, key=f"name:{word}-web", name=f"{word}-web", **series)
    Container.objects.filter(host=host, name=f"{word}-web").update(series=found)
    place = Destination.objects.get_or_create(name="shelf", defaults={"kind": "folder", "folder": "/srv"})[0]
    kept = {"destination": place, "key": f"{word}/{word}-data.tar", "state": BackupState.KEPT}
    Backup.objects.create(host=host.name, volume=data.name, of_volume=data, owner=owner, **kept)
    ada = User.objects.get(username="ada")
    team = owner.pk if owner else None
    what: dict[str, Any] = {"target": f"{word}/app:1", "params": {"image": f"{word}/app:1"}}
    job = queue.start(ada, "image.pull", host=host.name, team=team, **what)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.FAILED, ended=seen, error=f"{word} is broken", by_name=f"{word}-ann"
    )
    schedules.add(
        ada, Job.objects.get(pk=job.pk), name=f"{word}-nightly", cron="0 3 * * *", timezone="UTC", catch_up=False
    )


MISSING = 4_711_000  # the number of no row


def parts_of(word: str, host: str = "") -> dict[str, str]:
    """What stands in addresses for the objects called by `word` on the host (of that name); numbers of nobody's are of
    rows that are not there."""
    target = f"{word}/app:1"
    job, schedule = Job.objects.filter(target=target).first(), Schedule.objects.filter(target=target).first()
    backup = Backup.objects.filter(volume=f"{word}-data").first()
    policy = Policy.objects.filter(about=word).first()
    rows = {"job_id": job, "schedule_id": schedule, "backup": backup, "policy": policy}
    return names_of(word, host) | {name: str(row.pk) for name, row in rows.items() if row}


def names_of(word: str, host: str = "") -> dict[str, str]:
    """The same by names alone; every number is of no row."""
    return {
        "host": host or word, "name": host or word, "container": f"{word}-web", "image": f"{word}/app:1",
        "image_id": shape(word), "network": f"{word}-net",
        "volume": f"{word}-data", "plugin": f"{word}-plugin", "swarm": f"{word}-swarm", "node": "buoy-a", "service": "web",
        "task": "web.1", "secret": "s1", "config": "c1", "stack": "shop", "registry": f"{word}-registry", "team": f"{word}-team",
        "user": "ada", "role": f"{word}-role", "destination": "shelf", "tag": "1", "repository": "app", "verb": "stop",
        "noun": "container",
        **dict.fromkeys(("account", "invitation", "session", "token", "grant", "job_id", "schedule_id", "backup", "policy", "recording"), str(MISSING)),
    }  # fmt: skip


def counts() -> dict[Any, int]:
    """How many rows there are of what acts make and remove."""
    return {model: model.objects.count() for model in (Container, Job, Schedule, Backup, Registry, Team, Grant, User)}


def said(answer: Any) -> str:
    """The text of an answer."""
    if answer.streaming:
        blocks = answer.streaming_content
        return b"".join(blocks).decode() if hasattr(blocks, "__iter__") else ""
    text: str = answer.content.decode()
    return re.sub(
        r'name="csrfmiddlewaretoken" value="[^"]*"|<time.*?</time>|data-token="[^"]*"|nonce="[^"]*"', "", text
    )


NOUNS = {
    "containers": "container", "images": "image", "networks": "network", "volumes": "volume", "plugins": "plugin",
    "nodes": "node", "services": "service", "tasks": "task", "secrets": "secret", "configs": "config", "stats": "container",
    "stacks": "stack", "registries": "registry", "teams": "team", "roles": "role", "jobs": "job_id", "backups": "backup",
    "policies": "policy",
}  # fmt: skip


def addresses(word: str, host: str = "", known: dict[str, str] | None = None) -> Iterator[str]:
    """Every route of the product, with what is called by `word` on the host (of that name), or what is `known` of it."""
    return (address for address, _route in routed(word, host, known))


def routed(word: str, host: str = "", known: dict[str, str] | None = None) -> Iterator[tuple[str, URLPattern]]:
    """The same, each with its route."""
    known = known or parts_of(word, host)
    for path, route in our_routes():
        if path.startswith(LIBRARY) or path in {"healthz", "readyz", "metrics", "language/"}:
            continue
        noun = NOUNS.get(path.partition("/")[0], "")
        if path.startswith("jobs/schedules"):
            noun = "schedule_id"
        ref = known.get("image_id" if noun == "image" else noun, f"{word}-web")
        path = re.sub(r"<slug:(host|swarm|verb|noun|team)>", lambda part: known[part[1]], path)
        path = path.replace("<slug:name>", host or word if path.startswith(("hosts/", "backups/")) else ref)
        path = re.sub("<str:(ref|name)>", lambda _part, ref=ref: ref, path)  # type: ignore[misc]
        yield "/" + re.sub("<int:[a-z_]+>", ref if ref.isdecimal() else known["grant"], path), route


def call(client: Client, example: Example, known: dict[str, str]) -> Any:
    """The example's call, of the objects that `known` names."""
    method, _, path = example.operation.partition(" ")
    path = re.sub(r"\{(\w+)\}", lambda part: known.get(part[1], "x"), path)
    path = f"/api/v1/{path}" + (f"?{example.query}" if example.query else "")
    if example.form is not None:
        files = {name: SimpleUploadedFile("a.tar", b"x") for name in ("file", "files", "context")}
        return client.post(path, example.form | files)
    body = json.dumps(example.body if example.body is not None else {})
    return client.generic(method, path, body if method != "GET" else "", content_type="application/json")
