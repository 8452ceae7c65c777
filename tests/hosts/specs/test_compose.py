"""A pasted compose service: short and long forms, and what is said about one that cannot be used."""

import time

import pytest

from common.errors import Invalid
from hosts.specs.compose_in import from_compose
from hosts.specs.spec import to_json

LONG = """
services:
  web: &web
    image: nginx:${TAG:-1.27}
    entrypoint: /entry --now
    command: ["nginx", "-g", "daemon off;"]
    environment: {A: 1, B: true, C: 22:22, D: "$${HOME}"}
    labels: [a=b, c]
    ports:
      - "8080-8081:80-81"
      - {target: 53, published: "53", host_ip: 10.0.0.1, protocol: udp, mode: host}
    expose: [70, "71/udp"]
    volumes:
      - data:/data:ro
      - {type: bind, source: /srv, target: /srv, bind: {create_host_path: false, propagation: rslave}}
      - {type: tmpfs, target: /t, tmpfs: {size: 8m, mode: 0o1770}}
      - /anonymous
    networks: {front: {aliases: [w], ipv4_address: 10.0.0.9, priority: 5}, back: null}
    healthcheck: {test: curl -f localhost, interval: 1m30s, retries: 3}
    ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
    extra_hosts: {a: 10.0.0.2}
    restart: on-failure:2
    stop_grace_period: 1m
    logging: {driver: local, options: {max-size: 1m}}
    deploy: {replicas: 3, resources: {limits: {cpus: "0.5", memory: 64M, pids: 9}, reservations: {memory: 32M}}}
    depends_on: [db]
    x-mine: ignored
  db: {<<: *web, image: "postgres:15"}
volumes:
  data: {name: real-data, driver: local, driver_opts: {type: nfs, o: "addr=10.0.0.1"}}
networks:
  front: {name: real-front, external: true}
  back: {}
"""


def test_short_and_long_forms_are_read() -> None:
    read = from_compose(LONG, "web")
    assert to_json(read.spec) == {
        "image": "nginx:1.27",
        "entrypoint": ["/entry", "--now"],
        "command": ["nginx", "-g", "daemon off;"],
        "env": {"A": "1", "B": "true", "C": "22:22", "D": "${HOME}"},
        "labels": {"a": "b", "c": ""},
        "ports": [
            {"container": 80, "host": "8080"},
            {"container": 81, "host": "8081"},
            {"container": 53, "host": "53", "address": "10.0.0.1", "protocol": "udp"},
        ],
        "expose": ["70/tcp", "71/udp"],
        "mounts": [
            {
                "target": "/data",
                "source": "real-data",
                "read_only": True,
                "driver": "local",
                "driver_options": {"type": "nfs", "o": "addr=10.0.0.1"},
            },
            {"target": "/srv", "type": "bind", "source": "/srv", "propagation": "rslave"},
            {"target": "/t", "type": "tmpfs", "size": 8388608, "mode": 0o1770},
            {"target": "/anonymous"},
        ],
        "networks": [{"name": "real-front", "aliases": ["w"], "ipv4": "10.0.0.9"}, {"name": "back"}],
        "health": {"test": ["CMD-SHELL", "curl -f localhost"], "interval": 90.0, "retries": 3},
        "ulimits": [{"name": "nofile", "soft": 10, "hard": 20}, {"name": "nproc", "soft": 5, "hard": 5}],
        "extra_hosts": ["a:10.0.0.2"],
        "restart": {"policy": "on-failure", "retries": 2},
        "stop_timeout": 60,
        "log": {"driver": "local", "options": {"max-size": "1m"}},
        "limits": {"cpus": 0.5, "memory": 64 << 20, "pids": 9, "memory_reservation": 32 << 20},
    }
    assert len(read.notes) == 2
    assert any("depends_on" in note for note in read.notes) and any("replicas" in note for note in read.notes)
    assert from_compose(LONG, "db").spec.image == "postgres:15"
    assert from_compose("image: busybox\ncommand: echo 'a b'").spec.command == ["echo", "a b"]


WRONG = {
    "": "it has no keys",
    "[1, 2]": "it has no keys",
    "services: {a: {image: x": "Line 1 is no YAML",
    "services: {a: {image: x}, b: {image: y}}": "several services: a, b",
    "services: {a: {command: x}}": "a has no image",
    "services: {a: {image: x, imagine: 1}}": "no key imagine",
    "services: {a: {image: x, volumes: ['./data:/d']}}": "./data is relative",
    "services: {a: {image: x, environment: [A]}}": "“A” has no value here",
    "services: {a: {image: x, environment: {A: null}}}": "“A” has no value here",
    "services: {a: {image: 'x:${TAG}'}}": "variable TAG has no value",
    "services: {a: {image: x, env_file: .env}}": "env_file: such a file is not here",
    "services: {a: {image: x, secrets: [s]}}": "secrets:",
    "services: {a: {image: x, network_mode: 'service:b'}}": "service is not known",
    "services: {a: {image: x, ports: {80: 80}}}": "ports: here a list",
    "services: {a: {image: x, ports: [{published: 80}]}}": "has a target",
    "services: {a: {image: x, mem_limit: much}}": "mem_limit: “much”",
    "services: {a: {image: x, healthcheck: {every: 5s}}}": "healthcheck has no key every",
    "services: {a: {image: x, volumes: [{type: bind, target: /x, bind: {colour: red}}]}}": "bind has no key colour",
    "services: {a: {image: [x]}}": "image: here a text",
    "services: {a: {image: x}}\nfoo: {}": "no key foo",
    "services: {a: {image: !!python/object/apply:os.system ['ls']}}": "is no YAML",
    "services: {a: &a {image: x, labels: *a}}": "grows too large",
    "services: {a: {image: x, labels: " + "[" * 80 + "]" * 80 + "}}": "grows too large",
    "services: " + "a" * 300_000: "too long",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:50])
def test_what_cannot_be_used_is_named(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_compose(text)
    assert WRONG[text] in str(caught.value)


def test_a_file_that_grows_by_its_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 {k: v}", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
    merges = ["b0: &b0 {k: v}", *(f"b{n}: &b{n} {{<<: [{', '.join([f'*b{n - 1}'] * 9)}]}}" for n in range(1, 40))]
    began = time.monotonic()
    for text in (lines, merges):
        with pytest.raises(Invalid, match="grows too large"):
            from_compose("\n".join(text))
    assert time.monotonic() - began < 2
