"""The form of a service: the parts of a specification as texts, or a compose service in their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from django.utils.translation import gettext_lazy

from common.errors import Invalid
from hosts.forms import service_parts
from hosts.forms.create import CreateForm
from hosts.forms.create_parts import Part
from hosts.specs.services.check import problems
from hosts.specs.services.compose_in import from_compose
from hosts.specs.services.compose_out import to_compose
from hosts.specs.services.spec import ServiceSpec, from_json, to_json


@dataclass
class ServiceForm(CreateForm):
    """What was typed in one of the two views. `host` is here the swarm's name, `start` whether the image is pinned,
    `revision` what a change was made from."""

    parts: ClassVar[list[Part]] = service_parts.PARTS
    titles: ClassVar[dict[str, Any]] = service_parts.SECTIONS
    views: ClassVar[dict[str, Any]] = {"form": gettext_lazy("Form"), "compose": "Compose"}
    beside: ClassVar[set[str]] = {"swarm", "service"}

    spec: Any = field(default_factory=ServiceSpec)
    revision: str = ""

    @classmethod
    def sent(cls, data: Mapping[str, str]) -> Self:
        """As a browser sent it."""
        form = super().sent(data)
        form.host, form.revision = data.get("swarm", ""), data.get("revision", "")[:64]
        return form

    def problems(self) -> list[Invalid]:
        """All that is wrong with what it says."""
        return problems(self.spec)

    def read(self, typed: str) -> tuple[Any, list[str]]:
        """A pasted compose service's specification, and notes. Raises Invalid."""
        read = from_compose(typed, self.values.get("service", ""))
        return read.spec, read.notes

    def write(self, spec: Any) -> tuple[str, list[str]]:
        """The opposite."""
        return to_compose(spec), []

    def to_json(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        return to_json(self.spec)

    @classmethod
    def from_json(cls, values: Any) -> Any:
        """The opposite; without values, a specification that says nothing."""
        return ServiceSpec() if values is None else from_json(values)

    def part_of(self, name: str) -> str:
        """The part in which a field of the specification stands; "" for none."""
        return service_parts.part_of(name)
