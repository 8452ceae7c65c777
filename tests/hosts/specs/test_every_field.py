"""Each field of a container goes from each view of the form to the others and back, or it is said in words that it does not."""

from typing import Any

import pytest

from hosts.forms.create import CreateForm
from hosts.specs.spec import ContainerSpec, Limits, from_json, to_json
from tests.hosts.specs.every_field import single

FIELDS = single()
VIEWS = ("form", "run", "compose")
IN_OWN_KEYS = {  # compose has no key for them: they are kept under x-dermaga, and that is said
    "publish_all", "auto_remove", "volume_driver", "limits.cpuset_mems", "limits.kernel_memory",
    "limits.io_maxbandwidth", "limits.io_maxiops",
}  # fmt: skip


def sent(shown: CreateForm, **more: str) -> CreateForm:
    """What a browser sends of a page, without what the page remembers."""
    return CreateForm.sent(
        {"view": shown.view, **shown.values, **{f"as.{n}": m for n, m in modes(shown).items()}, **more}
    )


def modes(shown: CreateForm) -> dict[str, str]:
    return {part.name: shown.mode(part) for part in shown.parts if part.table}


def test_the_table_has_every_field() -> None:
    fields = {name for name in ContainerSpec.__dataclass_fields__ if name not in {"image", "limits"}}
    assert set(FIELDS) == fields | {f"limits.{name}" for name in Limits.__dataclass_fields__}


@pytest.mark.parametrize("field", FIELDS)
def test_it_is_in_each_view_and_comes_back_from_each(field: str) -> None:
    told: dict[str, Any] = {"image": "busybox", **FIELDS[field]}
    whole = to_json(from_json(told))
    for first in VIEWS:
        for then in set(VIEWS) - {first}:
            page = CreateForm.of(from_json(told)).shown(first)
            again = sent(page, show=then)
            assert again.errors == {} and to_json(again.spec) == whole, (first, then, page.values)
            back = sent(again, show=first)
            assert back.errors == {} and to_json(back.spec) == whole, (first, then, again.values)
            keys = [note for note in again.notes if "x-dermaga" in note]
            assert bool(keys) == (then == "compose" and field in IN_OWN_KEYS), again.notes


@pytest.mark.parametrize("field", ["env", "labels", "ports", "mounts", "networks"])
def test_rows_and_text_say_the_same(field: str) -> None:
    whole = to_json(from_json({"image": "busybox", **FIELDS[field]}))
    rows = CreateForm.of(from_json(whole))
    assert (
        f"{field}.0.{'type' if field == 'mounts' else 'name' if field not in {'ports'} else 'container'}" in rows.values
    )
    text = sent(rows, turn=f"{field}.text")
    assert text.modes[field] == "text" and field in text.values
    back = sent(text, turn=f"{field}.rows")
    assert to_json(text.spec) == to_json(back.spec) == whole
    assert back.values == rows.values


def test_what_a_line_cannot_say_is_said() -> None:
    unsaid: list[tuple[dict[str, Any], str]] = [
        ({"health": {"test": ["CMD", "true"]}}, "gives a health check to a shell"),
        ({"device_requests": [{"driver": "x", "capabilities": [["fpga"]]}]}, "not for GPUs"),
        ({"mounts": [{"target": "/t", "type": "tmpfs", "options": ["noexec"]}]}, "/t"),
        ({"networks": [{"name": "a", "links": ["db"]}]}, "links"),
        ({"entrypoint": ["sh", "-c"], "command": ["x"]}, "entrypoint of several words"),
    ]
    for told, words in unsaid:
        spec = from_json({"image": "busybox", **told})
        line = CreateForm.of(spec).shown("run")
        assert any(words in note for note in line.notes), (told, line.notes)
        kept = CreateForm.sent({"view": "run", **line.values, "whole": line.whole, "show": "form"})
        assert to_json(kept.spec) == to_json(spec)  # it stays while the line is not changed
