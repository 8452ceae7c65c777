"""A service's specification that is written in another form and read again is the same."""

import copy
from typing import Any

import pytest

from common.errors import Invalid
from hosts.specs.services.body import Ids, put_over, to_engine
from hosts.specs.services.compose_in import from_compose
from hosts.specs.services.compose_out import to_compose
from hosts.specs.services.fields import FIELDS, is_said
from hosts.specs.services.inspected import from_inspect, ids_of
from hosts.specs.services.spec import Mode, ServiceSpec, from_json, to_json
from tests.hosts.specs.services.random_services import a_service

SEEDS = range(120)
IDS = Ids({"key": "id-of-key", "cert": "id-of-cert"}, {"site": "s", "conf": "c", "credentials": "x"})


def test_the_specifications_by_chance_fill_every_field() -> None:
    specs = [a_service(seed) for seed in SEEDS]
    assert [entry.name for entry in FIELDS if not any(is_said(spec, entry.name) for spec in specs)] == []
    assert {name for spec in specs for name in to_json(spec)} == set(ServiceSpec.__dataclass_fields__)


def test_through_compose_and_back() -> None:
    for seed in SEEDS:
        spec = a_service(seed)
        text = to_compose(spec)
        read = from_compose(text)
        assert to_json(read.spec) == to_json(spec), (seed, text)
        assert read.notes == []


def test_through_json_and_back() -> None:
    for seed in SEEDS:
        assert from_json(to_json(a_service(seed))) == a_service(seed)


def test_through_an_engine_s_body_and_back() -> None:
    for seed in SEEDS:
        spec = a_service(seed)
        body = to_engine(spec, "1.51", IDS)
        assert to_json(from_inspect(body)) == to_json(spec), (seed, body)
        assert to_engine(from_inspect(body), "1.51", ids_of(body)) == body


def test_what_is_not_known_here_stays_when_the_rest_changes() -> None:
    kept = to_engine(a_service(next(seed for seed in SEEDS if len(a_service(seed).mounts) > 1)), "1.51", IDS)
    kept["New"] = {"Some": 1}
    kept["TaskTemplate"]["ForceUpdate"] = 7
    kept["TaskTemplate"]["ContainerSpec"]["Mounts"][1]["NewOption"] = True
    before = to_engine(from_inspect(kept), "1.51", ids_of(kept))
    changed = from_inspect(kept)
    changed.mode, changed.image = Mode("replicated", 9), "nginx:2"
    changed.mounts[1].read_only = True
    del changed.mounts[0]
    made = put_over(copy.deepcopy(kept), before, to_engine(changed, "1.51", ids_of(kept)))

    wanted: Any = copy.deepcopy(kept)
    wanted["Mode"] = {"Replicated": {"Replicas": 9}}
    wanted["TaskTemplate"]["ContainerSpec"]["Image"] = "nginx:2"
    del wanted["TaskTemplate"]["ContainerSpec"]["Mounts"][0]
    wanted["TaskTemplate"]["ContainerSpec"]["Mounts"][0]["ReadOnly"] = True
    assert made == wanted


def test_an_old_engine_is_not_asked_for_what_it_does_not_know() -> None:
    spec = ServiceSpec(name="web", image="nginx")
    spec.oom_score_adj = 5
    with pytest.raises(Invalid, match=r"oom_score_adj needs the engine's API 1\.46"):
        to_engine(spec, "1.41")


def test_a_secret_that_the_swarm_has_not_is_named() -> None:
    spec = from_json({"name": "web", "image": "nginx", "secrets": [{"source": "nobody"}]})
    with pytest.raises(Invalid, match="nobody") as error:
        to_engine(spec, "1.41")
    assert error.value.field == "secrets.0"
