"""The form that creates a container: the parts of a specification as texts, and a pasted line or file in their place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from common.errors import Invalid
from hosts.forms import create_parts
from hosts.forms.create_parts import PARTS, SECTIONS, Part
from hosts.specs.check import problems
from hosts.specs.compose_in import from_compose
from hosts.specs.compose_out import to_compose
from hosts.specs.run_line import from_run, to_run
from hosts.specs.spec import ContainerSpec, from_json, to_json

VIEWS = {"form": gettext_lazy("Form"), "run": "docker run", "compose": "Compose"}


@dataclass
class CreateForm:
    """What was typed in one of the views. `spec` is what it says; `errors` are by the part's name."""

    parts: ClassVar[list[Part]] = PARTS
    titles: ClassVar[dict[str, Any]] = SECTIONS
    views: ClassVar[dict[str, Any]] = VIEWS
    beside: ClassVar[set[str]] = {"host", "service", "settle", "healthy_within"}  # fields that are in every view

    view: str = "form"
    values: dict[str, str] = field(default_factory=dict)
    spec: Any = field(default_factory=ContainerSpec)
    errors: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    host: str = ""
    start: bool = True
    edits: str = ""  # HOST/ID of the container in whose place it comes
    kept: dict[str, str] = field(default_factory=dict)  # what is typed beside the specification

    @classmethod
    def of(cls, spec: Any, **more: Any) -> Self:
        """Filled from a specification."""
        return cls(spec=spec, **more).shown("form")

    @classmethod
    def sent(cls, data: Mapping[str, str]) -> Self:
        """What a browser sent: the view that it was typed in, and the specification that the view was made from."""
        view = data.get("view", "form") if data.get("view", "form") in cls.views else "form"
        form = cls(view=view, host=data.get("host", ""), start=data.get("start", "") == "1")
        form.edits = data.get("edits", "")
        form.kept = {name: data[name] for name in ("settle", "healthy_within") if name in data}
        form.values = {name: value.replace("\r\n", "\n") for name, value in data.items()}
        before = cls.read_whole(data.get("whole", ""))
        try:
            if view == "form":
                form._read_parts(before)
            else:
                form._read_text(before)
        except Invalid as error:
            form.blame(error)
        if not form.errors and not data.get("show"):  # what is not finished yet may be seen in another view
            for problem in form.problems():
                form.blame(problem)
        return form

    def _read_parts(self, before: Any) -> None:
        self.spec = before
        for part in self.parts:
            typed = self.values.get(part.name, "")
            if typed.strip() == part.show(before).strip():
                continue  # also what this text cannot say stays as it was
            try:
                part.take(self.spec, typed)
            except Invalid as error:
                error.field = part.name
                self.blame(error)

    def _read_text(self, before: Any) -> None:
        typed = self.values.get(self.view, "")
        if typed.strip() == self.write(before)[0].strip():
            self.spec = before
        else:
            self.spec, self.notes = self.read(typed)

    # ---------------------------------------------------------------- of what it makes
    def problems(self) -> list[Invalid]:
        """All that is wrong with what it says."""
        return problems(self.spec)

    def read(self, typed: str) -> tuple[Any, list[str]]:
        """A pasted text's specification, and notes. Raises Invalid."""
        read = from_run(typed) if self.view == "run" else from_compose(typed, self.values.get("service", ""))
        return read.spec, read.notes

    def write(self, spec: Any) -> tuple[str, list[str]]:
        """The opposite."""
        return to_run(spec, start=self.start) if self.view == "run" else (to_compose(spec), [])

    def to_json(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        return to_json(self.spec)

    @classmethod
    def from_json(cls, values: Any) -> Any:
        """The opposite; without values, a specification that says nothing."""
        return ContainerSpec() if values is None else from_json(values)

    @classmethod
    def read_whole(cls, text: str) -> Any:
        """What a browser sent back; nothing where it is not what was sent to it."""
        try:
            return cls.from_json(json.loads(text) if len(text) < 1_000_000 else None)
        except (ValueError, ValidationError, RecursionError):
            return cls.from_json(None)

    # ---------------------------------------------------------------- views
    def shown(self, view: str) -> Self:
        """The same in another view."""
        self.view = view if view in self.views else "form"
        if self.view == "form":
            self.values = {part.name: part.show(self.spec) for part in self.parts}
        else:
            text, notes = self.write(self.spec)
            self.values, self.notes = {self.view: text}, [*self.notes, *notes]
        return self

    def blame(self, error: Invalid) -> None:
        """Puts what is wrong at its field: the part, or the text that was pasted."""
        name = self.part_of(error.field) if self.view == "form" else self.view
        name = error.field if error.field in self.beside else name
        told = (
            str(error) if self.view == "form" or error.field in {*self.beside, self.view} else f"{error.field}: {error}"
        )
        self.errors.setdefault(name or "", []).append(
            told if not told.startswith(f"{error.field}: {error.field}") else str(error)
        )

    def part_of(self, name: str) -> str:
        """The part in which a field of the specification stands; "" for none."""
        return create_parts.part_of(name)

    @property
    def whole(self) -> str:
        """The specification, for the browser to send back."""
        return json.dumps(self.to_json())

    @property
    def general(self) -> list[str]:
        """What is wrong with no field of this view."""
        return self.errors.get("", [])

    @property
    def text(self) -> str:
        """The text of a view that is one."""
        return self.values.get(self.view, "")

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The parts for a page: those of a section that says something, or in which something is wrong, are open."""
        found = []
        for name, title in self.titles.items():
            parts = [self._shown_part(part) for part in self.parts if part.section == name]
            said = sum(bool(part["value"]) for part in parts)
            wrong = any(part["errors"] for part in parts)
            found.append({"title": title, "parts": parts, "said": said, "open": name == "main" or bool(said) or wrong})
        return found

    def _shown_part(self, part: Part) -> dict[str, Any]:
        return {
            "part": part,
            "value": self.values.get(part.name, ""),
            "errors": self.errors.get(part.name, []),
            "choices": part.choices,
        }
