"""Which kinds of jobs may be put on a schedule, and what is said of those that make no sense there."""

from typing import Any

import pytest
from django.test import Client

from jobs import kinds, queue
from jobs.models import Job
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
TAKEN, GONE, AGAIN = "would fail from the second time on", "is gone after the first time", "This cannot be repeated"
LOOKED_AT = "is refused once that has changed"
SENT, KEY = "are gone when it has run", "a" * 32
RULE: dict[str, Any] = {"host": "quay", "rule": {}}
# what is asked for -> why not; "" for what may be scheduled
KINDS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "image.pull": [({}, "")],
    "image.push": [({}, "")],
    "image.prune": [({}, "")],
    "image.copy": [({}, "")],
    "image.remove": [({}, GONE)],
    "container.commit": [({}, "")],
    "container.create": [({"name": ""}, ""), ({"name": "web"}, TAKEN), ({"name": "web", "auto_remove": True}, "")],
    "container.recreate": [({"newest": True}, ""), ({"newest": False}, "these settings again")],
    **{f"container.{verb}": [({}, "")] for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "update")},
    **{kind: [({}, TAKEN)] for kind in ("volume.create", "network.create", "network.connect")},
    **{
        kind: [({}, GONE)]
        for kind in ("volume.delete", "network.disconnect", "network.remove", "image.untag", "plugin.delete")
    },
    "volume.files": [({}, "who looks at them then")],
    "image.tag": [({}, "")],
    "plugin.configure": [({}, "")],
    "container.rename": [({}, TAKEN)],
    "container.remove": [({}, GONE)],
    "container.put_back": [({}, "cut short once")],
    "container.prune": [({}, AGAIN), (RULE, "")],
    "image.prune_shown": [({}, AGAIN), ({"host": "quay", "rule": {"everything": True}}, "")],
    "network.prune": [({}, AGAIN), (RULE, "")],
    "volume.remove": [({}, AGAIN), (RULE, "")],
    "system.prune": [({}, AGAIN), (RULE, "")],
    "image.build": [({"files": []}, ""), ({"files": [["Dockerfile", KEY]]}, SENT)],
    "image.load": [({"upload": KEY}, SENT)],
    "image.import": [({"upload": KEY}, SENT)],
    "plugin.create": [({"upload": KEY}, SENT)],
    "volume.unpack": [({"upload": KEY}, SENT)],
    "containers.bulk": [({"verb": "restart"}, ""), ({"verb": "stop"}, ""), ({"verb": "remove"}, GONE)],
    "files.write": [({}, AGAIN)],
    "files.make": [({}, TAKEN)],
    "files.chmod": [({}, "")],
    **{kind: [({}, GONE)] for kind in ("files.rename", "files.delete", "node.remove", "service.remove")},
    **{kind: [({}, "")] for kind in ("node.role", "swarm.rotate_token", "swarm.rotate_unlock_key")},
    **{
        kind: [({}, ""), ({"version": 12}, LOOKED_AT)]
        for kind in ("node.change", "swarm.change", "secret.labels", "config.labels")
    },
    **{f"{noun}.create": [({}, AGAIN)] for noun in ("secret", "config")},
    **{f"{noun}.remove": [({}, GONE)] for noun in ("secret", "config")},
    "files.upload": [({"files": [[KEY, "a.txt", 1]]}, SENT)],
    "plugin.push": [({}, "")],
    "plugin.install": [({}, TAKEN)],
    "plugin.upgrade": [({}, "")],
    "plugin.enable": [({}, "")],
    "plugin.disable": [({}, "")],
    "volume.copy": [({}, TAKEN)],
    "volume.backup": [({}, "")],
    "volume.restore": [({"replace": True}, ""), ({"replace": False}, TAKEN)],
    "backup.check": [({}, "")],
    "disk.measure": [({}, "")],
    "service.create": [({}, TAKEN)],
    "service.scale": [({}, "")],
    "service.redeploy": [({}, "")],
    "service.rollback": [({}, "every second time")],
    **{
        kind: [({}, AGAIN)]
        for kind in (
            *("plugin.look", "backup.remove", "service.update"),
            *("stack.remove", "swarm.init", "swarm.join", "swarm.leave", "swarm.unlock"),
            *("secret.replace", "config.replace"),
        )
    },
}


def test_every_kind_is_in_the_table() -> None:
    assert set(KINDS) == set(kinds.names())


def test_a_schedule_is_offered_where_it_makes_sense_and_elsewhere_it_is_said_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    ada = person("ada", "admin")
    client.force_login(ada)
    for kind, cases in KINDS.items():
        for number, (params, why) in enumerate(cases):
            sealed = {
                "spec": {"auto_remove": params.get("auto_remove", False)},
                "options": {"version": params.get("version")},
            }
            job = queue.start(ada, kind, host="quay", target="x", params=params | {"n": number}, sealed=sealed)
            told = f"{kind} {params}"
            body = {"job": job.pk, "name": told, "cron": "0 3 * * *"}
            answer = client.post("/api/v1/schedules", body, content_type="application/json")
            assert answer.status_code == (409 if why else 201), told
            assert why in str(answer.json().get("title")), told
            if kind in {"volume.backup", "volume.copy"}:
                page, form = f"/jobs/{job.pk}/", f"/jobs/{job.pk}/schedule/"
                html = client.get(page).content.decode()
                assert (form in html, why in html) == (not why, True), told
                assert client.get(form).status_code == (409 if why else 200), told
    assert Job.objects.count() == sum(map(len, KINDS.values()))
