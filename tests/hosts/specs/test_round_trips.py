"""A specification that is written in another form and read again is the same."""

import shlex

import pytest

from hosts.specs.compose_in import from_compose
from hosts.specs.compose_out import to_compose
from hosts.specs.fields import FIELDS, get, is_said
from hosts.specs.run_line import from_run, to_run
from hosts.specs.spec import ContainerSpec, from_json, to_json
from tests.hosts.specs.random_specs import a_spec

SEEDS = range(120)


def test_the_specifications_by_chance_fill_every_field() -> None:
    specs = [a_spec(seed, for_line=False) for seed in SEEDS]
    assert [entry.name for entry in FIELDS if not any(is_said(spec, entry.name) for spec in specs)] == []
    assert {name for spec in specs for name in to_json(spec)} == set(ContainerSpec.__dataclass_fields__)


def test_through_a_command_line_and_back() -> None:
    for seed in SEEDS:
        spec = a_spec(seed, for_line=True)
        line, notes = to_run(spec)
        assert notes == []
        read = from_run(line)
        assert to_json(read.spec) == to_json(spec), (seed, line)
        assert read.notes == []


def test_through_compose_and_back() -> None:
    for seed in SEEDS:
        spec = a_spec(seed, for_line=False)
        text = to_compose(spec)
        read = from_compose(text)
        assert to_json(read.spec) == to_json(spec), (seed, text)
        assert read.notes == []


def test_through_json_and_back() -> None:
    for seed in SEEDS:
        spec = a_spec(seed, for_line=False)
        assert from_json(to_json(spec)) == spec


@pytest.mark.parametrize("seed", range(5))
def test_a_shell_reads_the_line_as_it_was_meant(seed: int) -> None:
    """The words that a shell would hand to docker hold every value whole."""
    spec = a_spec(seed, for_line=True)
    line, _ = to_run(spec)
    words = shlex.split(line.replace("\\\n", ""))
    assert all(f"{name}={value}" in words or f"-e={name}={value}" in words for name, value in spec.env.items())
    assert words[len(words) - len(spec.command) :] == spec.command
    assert get(spec, "image") in words
