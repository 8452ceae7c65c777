"""docs/engine-api.md says where Dermaga does what an engine's API does: all of it, once, and nothing that is not there."""

import ast
import re
from functools import cache

from django.urls import get_resolver

from dashboard.routing import socket_urls
from tests.architecture.sources import PROJECT, read
from tests.test_reference import SPAN, served_routes, table

DOCUMENT = "engine-api.md"
PAGES = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
SOCKETS = {f"/{route.pattern}" for route in socket_urls}


def covered() -> list[list[str]]:
    """operation, pages, routes, tests."""
    return table(DOCUMENT, "| operation | page | REST or socket | test |")


def operations(heads: str) -> list[str]:
    """The operations that are the first column of a table."""
    return [row[0].strip("`") for row in table(DOCUMENT, heads)]


@cache
def functions(file: str) -> frozenset[str]:
    """The names of a test file's functions."""
    path = PROJECT / file
    tree = read(path).tree if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def recorded() -> list[str]:
    """Every operation of the Engine API."""
    lines = (PROJECT / "tests" / "engine_operations.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_each_operation_is_in_the_document_once() -> None:
    everything = [
        *operations("| operation | page | REST or socket | test |"),
        *operations("| left out | why |"),
    ]
    assert len(recorded()) > 100
    assert sorted(everything) == sorted(recorded())


def test_what_is_left_out_has_a_reason() -> None:
    assert [row[0] for row in table(DOCUMENT, "| left out | why |") if len(row[1]) < 8] == []


def test_the_pages_of_the_document_are_served() -> None:
    for operation, pages, _, _ in covered():
        assert SPAN.findall(pages), operation
        assert [page for page in SPAN.findall(pages) if page not in PAGES] == [], operation


def test_the_routes_and_sockets_of_the_document_are_served() -> None:
    routes = served_routes()
    for operation, _, ways, _ in covered():
        assert SPAN.findall(ways), operation
        for way in SPAN.findall(ways):
            method, _, path = way.partition(" ")
            assert way in SOCKETS or (method, re.sub(r"\{\w+\}", "{}", path)) in routes, (operation, way)


def test_the_tests_of_the_document_are_there() -> None:
    for operation, _, _, tests in covered():
        assert SPAN.findall(tests), operation
        for test in SPAN.findall(tests):
            file, _, name = test.partition("::")
            assert name in functions(file), (operation, test)
