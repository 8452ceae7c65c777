"""The product's files as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "api", "common", "dashboard", "hosts", "jobs")


class Source(NamedTuple):
    """A module: its dotted name and its tree."""

    name: str
    tree: ast.Module


@cache
def product() -> tuple[Source, ...]:
    """Every module of the product but its migrations."""
    files = [file for package in PACKAGES for file in sorted((PROJECT / package).rglob("*.py"))]
    return tuple(read(file) for file in files if "migrations" not in file.parts)


def read(file: Path) -> Source:
    """One file."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return Source(".".join(parts).removesuffix(".__init__"), ast.parse(file.read_text(), str(file)))


def planted(code: str, name: str = "hosts.views.planted") -> Source:
    """A module that is not there, for a test of the tests."""
    return Source(name, ast.parse(code))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that a module imports, also inside its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def inside(name: str, package: str) -> bool:
    """Whether the dotted `name` is `package` or below it."""
    return name == package or name.startswith(f"{package}.")
