"""The form that creates a container: the parts of a specification as texts, and a pasted line or file in their place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """What was typed in one of the three views. `spec` is what it says; `errors` are by the part's name."""

    view: str = "form"
    values: dict[str, str] = field(default_factory=dict)
    spec: ContainerSpec = field(default_factory=ContainerSpec)
    errors: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    host: str = ""
    start: bool = True

    @classmethod
    def of(cls, spec: ContainerSpec, **more: Any) -> "CreateForm":
        """Filled from a specification."""
        return cls(spec=spec, **more).shown("form")

    @classmethod
    def sent(cls, data: Mapping[str, str]) -> "CreateForm":
        """What a browser sent: the view that it was typed in, and the specification that the view was made from."""
        view = data.get("view", "form") if data.get("view", "form") in VIEWS else "form"
        form = cls(view=view, host=data.get("host", ""), start=data.get("start", "") == "1")
        form.values = {name: value.replace("\r\n", "\n") for name, value in data.items()}
        before = _whole(data.get("whole", ""))
        try:
            if view == "form":
                form._read_parts(before)
            else:
                form._read_text(before)
        except Invalid as error:
            form.blame(error)
        if not form.errors and not data.get("show"):  # what is not finished yet may be seen in another view
            for problem in problems(form.spec):
                form.blame(problem)
        return form

    def _read_parts(self, before: ContainerSpec) -> None:
        self.spec = before
        for part in PARTS:
            typed = self.values.get(part.name, "")
            if typed.strip() == part.show(before).strip():
                continue  # also what this text cannot say stays as it was
            try:
                part.take(self.spec, typed)
            except Invalid as error:
                error.field = part.name
                self.blame(error)

    def _read_text(self, before: ContainerSpec) -> None:
        typed = self.values.get(self.view, "")
        if typed.strip() == self._text(before)[0].strip():
            self.spec = before
            return
        read = from_run(typed) if self.view == "run" else from_compose(typed, self.values.get("service", ""))
        self.spec, self.notes = read.spec, read.notes

    def _text(self, spec: ContainerSpec) -> tuple[str, list[str]]:
        return to_run(spec, start=self.start) if self.view == "run" else (to_compose(spec), [])

    def shown(self, view: str) -> "CreateForm":
        """The same in another view."""
        self.view = view if view in VIEWS else "form"
        if self.view == "form":
            self.values = {part.name: part.show(self.spec) for part in PARTS}
        else:
            text, notes = self._text(self.spec)
            self.values, self.notes = {self.view: text}, [*self.notes, *notes]
        return self

    def blame(self, error: Invalid) -> None:
        """Puts what is wrong at its field: the part, or the text that was pasted."""
        name = create_parts.part_of(error.field) if self.view == "form" else self.view
        name = error.field if error.field in {"host", "service"} else name
        told = str(error) if self.view == "form" or error.field in {"host", self.view} else f"{error.field}: {error}"
        self.errors.setdefault(name or "", []).append(
            told if not told.startswith(f"{error.field}: {error.field}") else str(error)
        )

    @property
    def whole(self) -> str:
        """The specification, for the browser to send back."""
        return json.dumps(to_json(self.spec))

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
        for name, title in SECTIONS.items():
            parts = [self._shown_part(part) for part in PARTS if part.section == name]
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


def _whole(text: str) -> ContainerSpec:
    """What a browser sent back; nothing where it is not what was sent to it."""
    try:
        return from_json(json.loads(text)) if len(text) < 1_000_000 else ContainerSpec()
    except (ValueError, ValidationError, RecursionError):
        return ContainerSpec()
