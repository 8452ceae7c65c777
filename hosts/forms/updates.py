"""The form that changes limits and the restart policy of a container that is there."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from common.errors import Invalid
from hosts.forms.create_parts import PARTS, Part, part_of
from hosts.specs.fields import get
from hosts.specs.spec import ContainerSpec
from hosts.specs.updates import NAMES, RESTART, different

OFFERED: list[Part] = [part for name in (RESTART, *NAMES[:-1]) for part in PARTS if part.name == name]


@dataclass
class UpdateForm:
    """`before` is what the tables say; `errors` are by the part's name."""

    before: ContainerSpec
    values: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, before: ContainerSpec) -> "UpdateForm":
        """With the values that apply now."""
        return cls(before, {part.name: part.show(before) for part in OFFERED})

    @classmethod
    def sent(cls, before: ContainerSpec, data: Mapping[str, str]) -> "UpdateForm":
        """What a browser sent: only what is another than before is a change."""
        form = cls(before, {part.name: str(data.get(part.name, part.show(before))) for part in OFFERED})
        after = deepcopy(before)
        for part in OFFERED:
            if form.values[part.name].strip() == part.show(before).strip():
                continue
            try:
                part.take(after, form.values[part.name])
            except Invalid as error:
                error.field = part.name
                form.blame(error)
        form.changes = {name: get(after, name) for name in different(before, after)}
        return form

    def blame(self, error: Invalid) -> None:
        """Puts what is wrong at its field."""
        for one in (error, *error.others):
            self.errors.setdefault(part_of(one.field), []).append(str(one))

    @property
    def general(self) -> list[str]:
        """What is wrong with no field of this form."""
        return self.errors.get("", [])

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The fields for a page."""
        return [
            {"part": part, "value": self.values[part.name], "errors": self.errors.get(part.name, [])}
            for part in OFFERED
        ]
