"""What is typed and sent wrong into forms and operations, by field: for tests/test_wrong_input.py."""

from typing import Any, NamedTuple

HUGE, LONG = 10**40, "x" * 20_000
NAME: tuple[Any, ...] = ("", LONG, "a\0b", "\U0001f433", "a\nb", -1, HUGE, [], {"a": 1})
OPTIONAL = NAME[1:]  # which may be left empty
FLAG: tuple[Any, ...] = ("maybe", "", "a\0b", "\U0001f433", -1, HUGE, [], LONG)
WHOLE: tuple[Any, ...] = ("", "many", "a\0b", "\U0001f433", -1, HUGE, -HUGE, 1.5, [], LONG)
SIGNED: tuple[Any, ...] = ("", "many", "a\0b", "\U0001f433", HUGE, -HUGE, 1.5, [], LONG)
LISTED: tuple[Any, ...] = ("a", -1, [""], [LONG], ["a\0b"], [1], {"a": 1})
PAIRS: tuple[Any, ...] = ("a", -1, [], {"": "a"}, {"a\0b": "c"}, {"a": "b\0c"}, {"a": [1]}, {LONG: "a"})


class Case(NamedTuple):
    """A request that is right, and what is wrong in each of its fields. `field`: what names it where that differs."""

    path: str
    body: dict[str, Any]
    wrong: dict[str, tuple[Any, ...]]
    method: str = "post"


S3 = {
    "name": "cloud",
    "kind": "s3",
    "url": "http://10.0.0.9:9000",
    "region": "us-east-1",
    "bucket": "quay",
    "prefix": "",
}
S3 |= {"access_key": "me", "secret_key": "canary-of-wrong-input"}
TIMES = {"name": "nightly", "cron": "0 3 * * *", "timezone": "UTC"}
BUCKET = {
    "name": NAME, "kind": NAME, "url": NAME, "region": OPTIONAL, "bucket": NAME, "prefix": OPTIONAL, "access_key": NAME[:3],
    "secret_key": ("", "a\0b", "a\nb", LONG, -1), "ca": OPTIONAL,
}  # fmt: skip
SCHEDULE = {"name": ("", LONG, "a\0b", -1, []), "cron": NAME, "timezone": NAME, "catch_up": FLAG}

OPERATIONS: dict[str, Case] = {
    "a place for backups": Case("destinations", S3, BUCKET),
    "a target of the audit": Case(
        "forwards",
        {"name": "hook", "kind": "webhook", "address": "https://logs.example.com/in", "secret": "canary-of-wrong-input"},
        {
            "name": NAME, "kind": NAME, "address": NAME, "secret": ("", "short", "a\0b" * 9, "a\nb" * 9, LONG, -1), "ca": OPTIONAL,
            "enabled": FLAG, "everything": FLAG,
        },
    ),
    "a backup": Case("volumes/quay/data/backup", {"destination": "shelf"}, {"stop": FLAG}),
    "a schedule of backups": Case(
        "volumes/quay/data/backup/schedule",
        {"destination": "shelf", **TIMES},
        {**SCHEDULE, "keep_last": WHOLE, "keep_days": WHOLE, "stop": FLAG},
    ),
    "a restore": Case("backups/7/restore", {"volume": "new"}, {"volume": NAME, "replace": FLAG, "stop": FLAG}),
    "backups that go": Case("backups/remove", {"backups": [7]}, {"backups": ([], [""], ["x"], [LONG], "7", {"a": 1})}),
    "a copy of a volume": Case("volumes/quay/data/copy", {"name": "new"}, {"name": NAME, "stop": FLAG}),
    "joining a network": Case(
        "networks/quay/back/connect",
        {"container": "web"},
        {
            "aliases": LISTED, "ipv4": OPTIONAL, "ipv6": OPTIONAL, "mac_address": OPTIONAL, "driver_options": PAIRS,
            "gateway_priority": SIGNED,
        },
    ),
    "a new service": Case(
        "services/SWARM",
        {"name": "shop", "image": "busybox"},
        {
            "name": NAME, "image": NAME, "pin": FLAG, "account": (HUGE, -7, "many", [], LONG), "env": PAIRS[:-1], "labels": PAIRS[:-1],
            "mounts": LISTED, "ports": LISTED, "networks": LISTED, "limits": ({"memory": -1}, {"cpus": "x"}, [], "1g"),
            "mode": ({"replicas": -1}, {"replicas": HUGE}, {"kind": "odd"}, [], "global"), "stop_signal": OPTIONAL,
            "hostname": OPTIONAL, "user": OPTIONAL[:2],
        },
    ),
    "a changed service": Case(
        "services/SWARM/web",
        {"spec": {"image": "busybox"}},
        {"spec": ("x", -1, []), "revision": (LONG, -1, [], {"a": 1}), "pin": FLAG, "account": (HUGE, -7, "many", [], LONG)},
        "patch",
    ),
    "so many tasks": Case("services/SWARM/web/scale", {"replicas": 2}, {"replicas": WHOLE}),
    "a redeploy": Case("services/SWARM/web/redeploy", {}, {"pin": FLAG, "account": (HUGE, -7, "many", [], LONG)}),
    "a changed node": Case(
        "nodes/SWARM/NODE", {}, {"availability": NAME, "labels": PAIRS, "version": ("x", [])}, "patch"
    ),
    "a schedule": Case("schedules", {"job": "JOB", **TIMES, "name": "yearly"}, {**SCHEDULE, "job": ("", "x", "a\0b", [], 1.5)}),
    "a changed schedule": Case("schedules/1", {}, {**SCHEDULE, "enabled": FLAG}, "patch"),
}  # fmt: skip

# ---------------------------------------------------------------- forms
TYPED = (LONG, "a\0b", "\U0001f433 quay")
TEXTS, NUMBERS = ("", *TYPED), (*TYPED, "-1", str(HUGE), "1.5")
FORMS: dict[str, Case] = {
    "a target of the audit": Case(
        "audit/forwards/add/",
        {"name": "siem", "kind": "tls", "address": "logs.example.com:6514", "enabled": "on"},
        {"name": TEXTS[:2], "address": TYPED[1:], "kind": TYPED[1:2], "ca": TYPED[:1]},
    ),
    "a place for backups": Case(
        "backups/destinations/add/",
        S3,
        {
            "name": TEXTS[:2],
            "url": TYPED[:2],
            "bucket": TYPED[1:],
            "region": TYPED[1:2],
            "prefix": TYPED[2:],
            "ca": TYPED[:1],
        },
    ),
    "a schedule of backups": Case(
        "volumes/quay/data/backup/schedule/",
        {"destination": "SHELF", **TIMES, "keep_last": "7", "keep_days": "0"},
        {
            "name": TYPED[1:2],
            "cron": ("-1",),
            "timezone": ("x",),
            "keep_last": NUMBERS[3:5],
            "keep_days": ("-1",),
        },
    ),
    "a restore": Case(
        "backups/7/restore/", {"host": "quay", "into": "new", "volume": "new"}, {"volume": TEXTS, "host": TEXTS}
    ),
    "a copy of a volume": Case(
        "volumes/quay/data/copy/", {"to": "quay", "name": "newer"}, {"to": TEXTS, "name": TEXTS}
    ),
    "joining a network": Case(
        "networks/quay/back/connect/",
        {"container": "web"},
        {
            "container": TEXTS[1:3],
            "aliases": TYPED,
            "ipv4": TYPED,
            "mac_address": TYPED,
            "gateway_priority": NUMBERS[4:],
        },
    ),
    "a new service": Case(
        "services/create/",
        {
            "view": "form",
            "whole": "{}",
            "swarm": "SWARM",
            "name": "shop",
            "image": "busybox",
            "mode.kind": "replicated",
        },
        {
            "name": TEXTS[1:3],
            "image": TEXTS[2:],
            "mode.replicas": NUMBERS[3:5],
            "hostname": TYPED[1:2],
            "account": TYPED[1:2],
        },
    ),
    "a schedule": Case("jobs/JOB/schedule/", {**TIMES, "name": "hourly"}, {"name": TEXTS[:1], "cron": ("a\0b",)}),
}
