"""The commands that the documents name: each line of a fenced block marked `sh`, and each inline command."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.engines.run import PROJECT

PYTHON = ".venv/bin/python "
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
REMARK = re.compile(r"\s{2,}#\s.*$")
DATA = {"json", "python", "html", "text", "yaml"}  # fences that hold no commands


class Command(NamedTuple):
    """A command as the document `where` writes it, on one line."""

    where: str
    text: str


def documents() -> list[Path]:
    """All that a reader is told to read."""
    return [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def commands(text: str, where: str = "planted") -> Iterator[Command]:
    """The commands in a document; raises ValueError for a fenced block that does not say what it holds."""
    for _, language, body in FENCE.findall(text):
        if language == "sh":
            lines = (REMARK.sub("", line).strip() for line in body.replace("\\\n", " ").splitlines())
            yield from (Command(where, " ".join(line.split())) for line in lines if line and not line.startswith("#"))
        elif language not in DATA:
            raise ValueError(f"{where}: a fenced block says `{language}`, and not sh or one of {sorted(DATA)}")
    for span in INLINE.findall(FENCE.sub("", text)):
        written = " ".join(span.replace("\\|", "|").split())
        if is_command(written):
            yield Command(where, written)


def is_command(text: str) -> bool:
    """Whether a reader could type it: a program with arguments, or a script of ours."""
    program, _, rest = text.partition(" ")
    ours = program in {"manage.py", "make"} or program.startswith((".venv/", "./"))
    return bool(rest) and (ours or shutil.which(program) is not None or program == "python")


def all_commands() -> list[Command]:
    """Each command of all documents, once."""
    found: dict[str, Command] = {}
    for document in documents():
        for command in commands(document.read_text(), str(document.relative_to(PROJECT))):
            found.setdefault(command.text, command)
    return list(found.values())
