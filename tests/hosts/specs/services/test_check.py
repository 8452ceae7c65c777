"""What is said about a service that cannot be made, and about a compose service that cannot be read."""

from typing import Any

import pytest

from common.errors import Invalid
from hosts.specs.services.check import problems
from hosts.specs.services.compose_in import from_compose
from hosts.specs.services.spec import from_json, to_json

GOOD: dict[str, Any] = {"name": "web", "image": "nginx:1.27"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("name", {"name": ""}, "needs a name"),
    ("name", {"name": "a.b"}, "no name of a service"),
    ("image", {"image": "UPPER CASE"}, "no name of an image"),
    ("stop_signal", {"stop_signal": "very loud"}, "not a signal"),
    ("endpoint_mode", {"endpoint_mode": "round"}, "vip, dnsrr"),
    ("mode.replicas", {"mode": {"kind": "global", "replicas": 2}}, "replicated only"),
    ("mode.replicas", {"mode": {"replicas": 1_000_000}}, "0 to 100000"),
    ("mode.replicas", {"mode": {"replicas": -1}}, "below 0"),
    ("restart.condition", {"mode": {"kind": "global-job"}, "restart": {"condition": "any"}}, "A job ends"),
    ("update.parallelism", {"mode": {"kind": "global-job"}, "update": {"parallelism": 1}}, "no rolling update"),
    ("ports.0.target", {"ports": [{"target": 0}]}, "1 to 65535"),
    ("ports.0.mode", {"ports": [{"target": 80}], "endpoint_mode": "dnsrr"}, "dnsrr"),
    ("ports.1.published", {"ports": [{"target": 80, "published": 80}, {"target": 81, "published": 80}]}, "twice"),
    ("networks.1.name", {"networks": [{"name": "a"}, {"name": "a"}]}, "twice"),
    ("mounts.0.source", {"mounts": [{"target": "/a", "type": "bind", "source": "b"}]}, "whole path"),
    ("mounts.1.target", {"mounts": [{"target": "/a"}, {"target": "/a"}]}, "twice"),
    ("secrets.1.target", {"secrets": [{"source": "a"}, {"source": "b", "target": "a"}]}, "the file a"),
    ("configs.0.uid", {"configs": [{"source": "a", "uid": "root"}]}, "no number"),
    ("placement.constraints", {"placement": {"constraints": ["node.role=worker"]}}, "no constraint"),
    ("placement.spread", {"placement": {"spread": ["zone"]}}, "node.labels.zone"),
    ("placement.platforms", {"placement": {"platforms": ["linux"]}}, "linux/amd64"),
    ("reservations.generic", {"reservations": {"generic": ["GPU"]}}, "GPU=2"),
    ("reservations.memory", {"limits": {"memory": 1 << 23}, "reservations": {"memory": 1 << 24}}, "More is reserved"),
    ("limits.memory", {"limits": {"memory": 1024}}, "at least 4m"),
    ("update.ratio", {"update": {"ratio": 7}}, "0 to 1"),
    ("privileges.credential_spec", {"privileges": {"credential_spec": "spec.json"}}, "file://NAME"),
    ("health.test", {"health": {"test": ["curl"]}}, "CMD-SHELL"),
    ("ulimits.0", {"ulimits": [{"name": "nofile", "soft": 9, "hard": 1}]}, "above the hard one"),
    ("env", {"env": {"A": "b\0"}}, "NUL"),
]


@pytest.mark.parametrize(("field", "values", "words"), WRONG)
def test_each_wrong_value_is_named(field: str, values: dict[str, Any], words: str) -> None:
    found = problems(from_json(GOOD | values))
    assert [error.field for error in found] == [field]
    assert words in str(found[0])


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert problems(from_json(GOOD | {"ports": [{"target": 80, "published": 8080}, {"target": 53}]})) == []


FILE = """
services:
  web:
    image: nginx:${TAG:-1.27}
    ports: ["8080:80", {target: 53, published: "53", protocol: udp, mode: host}]
    networks: {front: {aliases: [w]}}
    volumes: ["data:/data", {type: bind, source: /srv, target: /srv}]
    secrets: [key, {source: cert, target: /etc/cert.pem, mode: 0400}]
    labels: [a=b]
    container_name: one
    deploy:
      mode: replicated
      replicas: 3
      labels: {tier: front}
      placement: {constraints: [node.role==worker], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 2}
      resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {generic_resources: [{discrete_resource_spec: {kind: GPU, value: 1}}]}}
      restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 1m}
      update_config: {parallelism: 2, delay: 1s, order: start-first, failure_action: rollback, max_failure_ratio: 0.1}
secrets:
  key: {name: real-key, external: true}
networks: {front: {name: real-front}}
"""  # noqa: E501


def test_short_and_long_forms_of_compose_are_read() -> None:
    read = from_compose(FILE)
    assert to_json(read.spec) == {
        "name": "web",
        "image": "nginx:1.27",
        "labels": {"tier": "front"},
        "container_labels": {"a": "b"},
        "mode": {"replicas": 3},
        "ports": [
            {"target": 80, "published": 8080},
            {"target": 53, "published": 53, "protocol": "udp", "mode": "host"},
        ],
        "networks": [{"name": "real-front", "aliases": ["w"]}],
        "mounts": [{"target": "/data", "source": "data"}, {"target": "/srv", "type": "bind", "source": "/srv"}],
        "secrets": [{"source": "real-key"}, {"source": "cert", "target": "/etc/cert.pem", "mode": 0o400}],
        "placement": {"constraints": ["node.role==worker"], "spread": ["node.labels.zone"], "max_replicas": 2},
        "limits": {"cpus": 0.5, "memory": 64 << 20},
        "reservations": {"generic": ["GPU=1"]},
        "restart": {"condition": "on-failure", "delay": 5.0, "attempts": 3, "window": 60.0},
        "update": {"parallelism": 2, "delay": 1.0, "order": "start-first", "failure_action": "rollback", "ratio": 0.1},
    }
    assert read.notes == ["container_name means nothing for a service of a swarm: it is left out."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {a: {image: b, deploy: {mode: many}}}", "none of replicated"),
        ("services: {a: {image: b, deploy: {replica: 3}}}", "deploy has no key replica"),
        ("services: {a: {image: b, deploy: {update_config: {speed: 3}}}}", "update_config has no key speed"),
        ("services: {a: {image: b, deploy: {placement: 3}}}", "mapping is wanted"),
        ("services: {a: {image: b, ports: ['8000-8010:80']}}", "publishes one port"),
        ("services: {a: {image: b, nonsense: 1}}", "has no key nonsense"),
        ("services: {a: {image: b, env_file: x}}", "env_file"),
        ("services: {a: {command: b}}", "has no image"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        from_compose(text)
