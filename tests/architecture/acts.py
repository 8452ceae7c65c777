"""Follows the functions of hosts/actions/ to what they reach: the check of the right, the audit, the engine."""

import ast
from collections.abc import Iterable
from functools import cached_property

from tests.architecture.sources import Source, inside

ACTIONS = "hosts.actions"
MACHINERY = "hosts.actions.act"  # what acts are made of
ON_SWARMS = "hosts.actions.swarm.manager"  # and those on swarms
POLICING = "hosts.actions.policing"  # and what is asked of policies in them
REMOVALS = "hosts.actions.removals"  # and those that remove what was shown
SHORT = "hosts.actions.short"  # how short acts are asked for: each is an act of its own
QUESTIONS = (
    "hosts.actions.containers.looks",
    "hosts.actions.images.image_looks",
    "hosts.actions.containers.browse",
)  # they change nothing, and leave no audit
WITH_BOTH = {f"{MACHINERY}.recorded", f"{MACHINERY}.on_engine", f"{MACHINERY}.calling", "jobs.queue.start"}
WITH_BOTH |= {f"{MACHINERY}.recorded_at", f"{ON_SWARMS}.on_manager", f"{REMOVALS}.start"}
AUDITS = WITH_BOTH | {"accounts.audit.record"}
CHECKS = WITH_BOTH | {f"{MACHINERY}.demand", f"{MACHINERY}.demand_each"}
READS = {"top", "diff", "inspect_container", "logs", "stats", "version", "info", "ping"}  # of the SDK's client
READS |= {"inspect_image", "history"}


class Acts:
    """The public functions of hosts/actions/ in `sources`, and what each reaches."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = [
            s
            for s in sources
            if inside(s.name, ACTIONS) and s.name not in {MACHINERY, ON_SWARMS, POLICING, REMOVALS, SHORT}
        ]
        self.public = {
            f"{source.name}.{node.name}": node
            for source in self.sources
            for node in source.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
        }

    @cached_property
    def _mentions(self) -> dict[str, set[str]]:
        """Dotted name of a function, class or constant -> the dotted names that it mentions."""
        found: dict[str, set[str]] = {}
        for source in self.sources:
            known = _imported(source.tree) | {name: f"{source.name}.{name}" for name in _defined(source.tree)}
            for node in source.tree.body:
                for name in _names_of(node):
                    found[f"{source.name}.{name}"] = set(_mentioned(node, known))
        return found

    def reached(self, function: str) -> set[str]:
        """All dotted names that `function` mentions, itself or through others of hosts/actions/."""
        seen: set[str] = set()
        waiting = {function}
        while waiting:
            name = waiting.pop()
            seen.add(name)
            waiting |= self._mentions.get(name, set()) - seen
        return seen

    def problems(self) -> list[str]:
        """Sentences, one for each function that breaks a rule."""
        found = []
        for name, node in self.public.items():
            first = node.args.args[0] if node.args.args else None
            by_actor = first is not None and first.arg == "actor"
            in_job = (
                first is not None and first.annotation is not None and "JobContext" in ast.unparse(first.annotation)
            )
            if not by_actor and not in_job:
                found.append(f"{name} does not take the actor first (or, in a job, the JobContext)")
            reached = self.reached(name)
            if not reached & CHECKS:
                found.append(f"{name} does not check a right: call demand, recorded or on_engine of {MACHINERY}")
            if not reached & AUDITS:
                found += self._unaudited(name, node)
        return found

    def _unaudited(self, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
        if not any(inside(name, questions) for questions in QUESTIONS):
            return [f"{name} leaves no audit: go through recorded, on_engine, queue.start or call record"]
        calls = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
        changes = {
            call.attr
            for call in calls
            if isinstance(call, ast.Attribute) and ast.unparse(call.value) == "api" and call.attr not in READS
        }
        return [f"{name} asks the engine for {call}, which is not known to change nothing" for call in sorted(changes)]


def _imported(tree: ast.Module) -> dict[str, str]:
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _defined(tree: ast.Module) -> list[str]:
    return [name for node in tree.body for name in _names_of(node)]


def _mentioned(node: ast.AST, known: dict[str, str]) -> Iterable[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in known:
            yield known[part.id]
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in known:
            yield f"{known[part.value.id]}.{part.attr}"


ASKS = {f"{MACHINERY}.recorded", f"{MACHINERY}.on_engine", f"{ON_SWARMS}.on_manager"}


def waited_for(doors: Iterable[Source], acts: Acts) -> set[str]:
    """The functions of hosts/actions/ that ask an engine and that `doors` call themselves: a request waits for them."""
    found = set()
    for source in doors:
        known = _imported(source.tree)
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
                continue
            name = next(iter(_mentioned(node.func, known)), "")
            if name in acts.public and acts.reached(name) & ASKS:
                found.add(name.removeprefix(f"{ACTIONS}."))
    return found
