"""The form that creates a container: the parts of a specification as texts, and a pasted line or file in their place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from common.errors import Invalid
from hosts.forms import create_parts
from hosts.forms.create_parts import PARTS, SECTIONS, Part
from hosts.forms.rows import Table, take
from hosts.specs import dotenv
from hosts.specs.check import problems
from hosts.specs.compose_in import from_compose
from hosts.specs.compose_out import to_compose, unsaid
from hosts.specs.run_line import from_run, to_run
from hosts.specs.spec import ContainerSpec, from_json, to_json

OPEN = 5  # sections that open when something is set in them
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
    modes: dict[str, str] = field(default_factory=dict)  # rows or text, of the parts that have both
    wanted: str = ""  # the view that somebody wants to see; "" where the form is to be done
    places: dict[str, list[int]] = field(default_factory=dict)  # which row an entry of a part's list came from

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
        form.wanted = data.get("show", "") or ("form" if data.get("turn") else "")
        asked = {part.name: data.get(f"as.{part.name}", "") for part in cls.parts if part.table}
        form.modes = {name: mode or "text" for name, mode in asked.items() if mode or view == "form"}
        before = cls.read_whole(data.get("whole", ""))
        if form._turned_rows(before, data.get("turn", "")):
            return form
        try:
            if view == "form":
                form._read_parts(before)
            else:
                form._read_text(before)
        except Invalid as error:
            form.blame(error)
        form._turned(data.get("turn", ""))
        if not form.errors and form.wanted:  # what is not finished yet may be seen in another view
            return form.shown(form.wanted)
        form._blame_all(form.problems() if view == "form" or not form.errors else [])
        return form

    def _blame_all(self, problems: list[Invalid]) -> None:
        """Says them where nothing is said yet: what cannot be read there is not in the specification."""
        said = {self.part_of(name) for name in self.errors}
        for problem in problems:
            if self.part_of(problem.field) not in said:
                self.blame(problem)

    # ---------------------------------------------------------------- rows
    def mode(self, part: Part) -> str:
        """rows or text."""
        if not part.table:
            return "text"
        few = len(part.table.show(self.spec)) <= part.table.most
        return self.modes.get(part.name) or ("rows" if few else "text")

    def _turned_rows(self, before: Any, turn: str) -> bool:
        """Without scripts: a row more (`PART.add`) or less (`PART.drop.NUMBER`); all else stays as it was typed."""
        name, _dot, act = turn.rpartition(".drop.") if ".drop." in turn else turn.rpartition(".")
        part = next((part for part in self.parts if part.name == name and part.table), None)
        if not part or not part.table or (act != "add" and not act.isdecimal()):
            return False
        self.spec = before
        rows = [number for number, _row in part.table.sent(name, self.values, empty=True)]
        if act == "add":
            self.values |= part.table.named(name, max(rows, default=-1) + 1, part.table.empty())
        else:
            self.values = {key: value for key, value in self.values.items() if not key.startswith(f"{name}.{act}.")}
        return True

    def _turned(self, turn: str) -> None:
        """A part as rows or as text (`PART.rows`), or the environment of a .env file that was sent along (`env.file`)."""
        name, _dot, act = turn.rpartition(".")
        if turn == "env.file":
            self._read_file()
        elif act in {"rows", "text"} and name in {part.name for part in self.parts if part.table}:
            self.modes[name] = act if not self.errors else self.modes.get(name, "text")

    def _read_file(self) -> None:
        text = self.values.get("env_file", "")
        if not text.strip():
            self.errors.setdefault("env", []).append(str(_("Choose a .env file first.")))
            return
        found = dotenv.parse(text)
        for error in found.wrong:
            self.errors.setdefault("env", []).append(str(error))
        if not found.wrong:
            there = len(set(found.pairs) & set(self.spec.env))
            self.spec.env = self.spec.env | found.pairs
            words = _("Variables read from the file: %(count)s; %(there)s of them were there and have its value now.")
            self.notes.append(words % {"count": len(found.pairs), "there": there})

    def _read_parts(self, before: Any) -> None:
        self.spec = before
        for part in self.parts:
            if part.table and self.mode(part) == "rows":
                self._read_rows(part, part.table)
                continue
            typed = self.values.get(part.name, "")
            if typed.strip() == part.show(before).strip():
                continue  # also what this text cannot say stays as it was
            try:
                part.take(self.spec, typed)
            except Invalid as error:
                for one in (error, *error.others):
                    one.field = part.name
                    self.blame(one)

    def _read_rows(self, part: Part, table: Table) -> None:
        rows = table.sent(part.name, self.values)
        taken = take(table, rows)
        self.places[part.name] = taken.places
        for number, column, error in taken.wrong:
            self.errors.setdefault(f"{part.name}.{number}.{column}", []).append(str(error))
        if taken.wrong or [row for _n, row in rows] == [table.whole(row) for row in table.show(self.spec)]:
            return
        try:
            table.put(self.spec, taken.entries)
        except Invalid as error:
            self.blame(error)

    def _read_text(self, before: Any) -> None:
        typed = self.values.get(self.view, "")
        start, self.start = self.start, True
        texts = [self.write(before)[0].strip()]
        self.start = False
        texts.append(self.write(before)[0].strip())
        self.start = start
        if typed.strip() in texts:  # whichever it was written with: that is not the text's to say
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
        return to_run(spec, start=self.start) if self.view == "run" else (to_compose(spec), unsaid(spec))

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
            self.values = {}
            for part in self.parts:
                self.values |= self._as_fields(part)
        else:
            text, notes = self.write(self.spec)
            self.values, self.notes = {self.view: text}, [*self.notes, *notes]
        return self

    def _as_fields(self, part: Part) -> dict[str, str]:
        if not part.table or self.mode(part) == "text":
            return {part.name: part.show(self.spec)}
        rows = enumerate(part.table.show(self.spec))
        return {name: value for at, row in rows for name, value in part.table.named(part.name, at, row).items()}

    def _place_of(self, error: Invalid) -> str:
        """The field of a form where it is said; the sentence then names that by its label."""
        part = next((part for part in self.parts if part.name == self.part_of(error.field)), None)
        if not part:
            return ""
        name, label = part.name, part.label
        at, _dot, column = error.field.removeprefix(f"{part.name}.").partition(".")
        if part.table and self.mode(part) == "rows" and at.isdecimal():
            places = self.places.get(part.name, [])
            number = places[int(at)] if int(at) < len(places) else int(at)
            found = part.table.column(column)
            name, label = f"{part.name}.{number}.{found.name}", found.label
        if "field" in error.params:
            error.params["field"] = label
        return name

    def blame(self, error: Invalid) -> None:
        """Puts what is wrong at its field: the part or a field of its row, or the text that was pasted."""
        name = self._place_of(error) if self.view == "form" else self.view
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
        """The parts for a page. Open are the first one, the next few where they say something, and where something is
        wrong; the others tell what is set in them."""
        found = []
        for at, (name, title) in enumerate(self.titles.items()):
            parts = [self._shown_part(part) for part in self.parts if part.section == name]
            said = [part["part"].label for part in parts if part["said"]]
            wrong = any(part["wrong"] for part in parts)
            opened = at == 0 or wrong or (at < OPEN and bool(said))
            found.append({"title": title, "parts": parts, "said": said, "open": opened, "wrong": wrong})
        return found

    def _shown_part(self, part: Part) -> dict[str, Any]:
        errors = self.errors.get(part.name, [])
        shown: dict[str, Any] = {
            "part": part,
            "value": self.values.get(part.name, ""),
            "errors": errors,
            "wrong": bool(errors),
        }
        if part.table and self.mode(part) == "rows":
            shown |= part.table.shown(part.name, self.values, self.errors)
            shown["wrong"] = bool(errors) or any(row["wrong"] for row in shown["rows"])
            return shown | {"said": shown["count"] > 0}
        # the first choice of a list is what is not said
        said = bool(shown["value"]) and not (part.choices and shown["value"] == part.choices[0])
        return shown | {"said": said}


def fields(request: HttpRequest) -> dict[str, str]:
    """What a browser sent, a picked .env file as its text; what is no text has U+FFFD in it."""
    sent = {name: str(value) for name, value in request.POST.items()}
    picked = request.FILES.get("env_file")
    if picked is not None:
        sent["env_file"] = picked.read(dotenv.AT_MOST + 1).decode("utf-8-sig", "replace")
    return sent
