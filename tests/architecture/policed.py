"""Finds what the product asks engines to make or change, and whether a policy is asked before."""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.acts import MACHINERY, POLICING, READS, _imported, _mentioned
from tests.architecture.sources import Source, inside

ASKING = "hosts.actions.asking"
WRITES = {"POST", "PUT", "PATCH"}
CLOSED = {POLICING, ASKING, MACHINERY}
# of the SDK's client: they make nothing, and give nothing to what is there
PLAIN = READS | {"start", "stop", "restart", "kill", "pause", "unpause", "rename", "volumes", "inspect_network"}
PLAIN |= {"disconnect_container_from_network", "remove_container", "remove_image", "remove_network", "remove_volume"}


def _text(node: ast.AST | None) -> str:
    """A text, with an x for each part that is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return ""


def _is_write(call: ast.Call) -> bool:
    said = [_text(arg) for arg in call.args[:2]] + [_text(word.value) for word in call.keywords if word.arg == "method"]
    return bool(WRITES & set(said))


def _functions(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Each function and method by its name."""
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{source.name}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{source.name}.{node.name}.{part.name}", part


def _calls(node: ast.AST) -> list[ast.Call]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Call)]


def engine_writers(sources: Iterable[Source]) -> set[str]:
    """The functions of hosts.engine that send something, themselves or through others of their module."""
    found: set[str] = set()
    for source in sources:
        if not inside(source.name, "hosts.engine"):
            continue
        bodies = {name: node for name, node in _functions(source)}
        writers = {name for name, node in bodies.items() if any(_is_write(call) for call in _calls(node))}
        for _ in bodies:
            more = {
                name
                for name, node in bodies.items()
                if name not in writers and {one.rpartition(".")[2] for one in writers} & _called(node)
            }
            if not more:
                break
            writers |= more
        found |= writers
    return found


def _called(node: ast.AST) -> set[str]:
    names = [call.func for call in _calls(node)]
    return {
        name.id if isinstance(name, ast.Name) else name.attr
        for name in names
        if isinstance(name, ast.Name | ast.Attribute)
    }


def _named(node: ast.AST) -> set[str]:
    return _called(node) | {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def asked_paths(sources: Iterable[Source]) -> set[str]:
    """What is sent through Asking: the paths, with an x for each part that is put in."""
    found = set()
    for source in sources:
        if not inside(source.name, "hosts.actions") or source.name in CLOSED:
            continue
        for call in _calls(source.tree):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "ask" and _is_write(call):
                path = call.args[1] if len(call.args) > 1 else None
                found.add(_text(path) or f"{source.name}: {ast.unparse(path) if path else '?'}")
    return found


def unpoliced(sources: Iterable[Source], writers: set[str]) -> set[str]:
    """Functions that send something to an engine otherwise, and name no policy in their module's function, nor does any
    that they call there."""
    found = set()
    for source in sources:
        if not inside(source.name, "hosts") or inside(source.name, "hosts.engine") or source.name in CLOSED:
            continue
        known = _imported(source.tree)
        bodies = dict(_functions(source))
        asked = {
            name for name, node in bodies.items() if any(one.startswith(POLICING) for one in _mentioned(node, known))
        }
        for _ in bodies:
            asked |= {name for name, node in bodies.items() if {one.rpartition(".")[2] for one in asked} & _named(node)}
        for name, node in bodies.items():
            if name not in asked and _sends(node, known, writers):
                found.add(name)
    return found


def _sends(node: ast.AST, known: dict[str, str], writers: set[str]) -> bool:
    for call in _calls(node):
        if not isinstance(call.func, ast.Attribute | ast.Name):
            continue
        if isinstance(call.func, ast.Attribute):
            on = ast.unparse(call.func.value)
            if on == "api" and call.func.attr not in PLAIN:
                return True
            if call.func.attr in {"open", "_open"} and _is_write(call):
                return True
        if any(name in writers for name in _mentioned(call.func, known)):
            return True
    return False
