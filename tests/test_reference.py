"""docs/settings.md and docs/api.md say what there is: all of it, and nothing else."""

import ast
import re
from collections.abc import Iterator

from api.urls import api
from benchmarks import latest
from benchmarks.__main__ import names
from tests.architecture.sources import PROJECT, product, read

NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE"}  # which settings to read
SPAN = re.compile(r"`([^`]+)`")


def table(document: str, heads: str) -> list[list[str]]:
    """The rows of the document's table whose first line is `heads`."""
    text = (PROJECT / "docs" / document).read_text()
    rows = text.split(f"{heads}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


# ---------------------------------------------------------------- settings
def read_settings() -> Iterator[tuple[str, str]]:
    """(name, default as it is written in the code) of each that the product reads."""
    settings = read(PROJECT / "dashboard" / "settings.py")
    for node in ast.walk(settings.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
            told = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if told:
                yield str(told[0]), str(told[1]) if told[1:] else ""
    for source in product():
        for found in re.findall(r"os\.environ\.get\('(\w+)'[,)]", ast.unparse(source.tree)):
            yield found, ""
    yield "DERMAGA_DATA", "var"


def documented_settings() -> dict[str, str]:
    """Name -> default as the table says it."""
    return {
        name: default
        for names, default, *_ in table("settings.md", "| name | default | what |")
        for name in SPAN.findall(names)
    }


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    there = {name for name, _ in read_settings()} - NOT_SETTINGS
    assert len(there) > 20
    assert there == set(documented_settings())


def test_the_documented_defaults_of_numbers_are_the_real_ones() -> None:
    documented = documented_settings()
    numbers = {name: default for name, default in read_settings() if default.isdecimal()}
    assert len(numbers) > 5
    assert {name: documented[name] for name in numbers} == numbers


# ---------------------------------------------------------------- REST
def documented_routes(rows: list[list[str]]) -> set[tuple[str, str]]:
    """(method, path) of the table. A span without a method is a sibling of the one before it."""
    found: set[tuple[str, str]] = set()
    methods, path = "", ""
    for cell in (row[0] for row in rows):
        for span in SPAN.findall(cell):
            written = re.match(r"((?:[A-Z]+(?:, )?)+) (.+)", span)
            methods, path = written.groups() if written else (methods, f"{path.rpartition('/')[0]}/{span}")
            found |= {(method, re.sub(r"\{\w+\}", "{}", path.partition("?")[0])) for method in methods.split(", ")}
    return found


def served_routes() -> set[tuple[str, str]]:
    """(method, path) as the OpenAPI has them."""
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1/")))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }


def test_every_route_is_documented_and_every_documented_one_is_served() -> None:
    documented = documented_routes(table("api.md", "| route | what |"))
    assert len(served_routes()) > 20
    assert documented == served_routes()


def test_the_table_of_routes_is_read_as_a_person_reads_it() -> None:
    rows = [["`GET, POST a`; `GET a/{id}`", "x"], ["`POST a/{id}/stop`, `kill`", "x"], ["`GET s?target=A/B`", "x"]]
    assert documented_routes(rows) == {
        ("GET", "a"), ("POST", "a"), ("GET", "a/{}"), ("POST", "a/{}/stop"), ("POST", "a/{}/kill"), ("GET", "s"),
    }  # fmt: skip


# ---------------------------------------------------------------- benchmarks
def test_the_latest_figures_are_those_that_the_benchmarks_wrote() -> None:
    text = (PROJECT / "docs" / "performance.md").read_text()
    assert text.partition(f"{latest.BEGIN}\n")[2].partition(latest.END)[0] == latest.figures()


def test_every_benchmark_is_explained() -> None:
    explained = {row[0].strip("`") for row in table("performance.md", "| benchmark | what it measures | how |")}
    assert explained == set(names())
