"""Finds writes to the rows that mirror engines.

How: each expression is traced to the model that it holds, or a row or a query of it: by the model's name, by
annotations of parameters and of the product's functions, by relations (`container.uses`), through assignments, loops
and calls. A call of a writing method on such an expression is a write. What the finder cannot see through is reported
and not passed over: a manager or query of a model that cannot be told, save() and delete() of any row that cannot be
told, columns in a dictionary that is built elsewhere. It does not see update() of a query that is typed Any.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Model

from hosts.models import (
    ContainerDetail,
    DiskReading,
    Event,
    Host,
    Process,
    Series,
    StatsChunk,
    StatsRound,
    Swarm,
    SwarmMember,
    Use,
    Watch,
)
from hosts.models.base import Mirrored
from hosts.models.swarms import SwarmMirrored
from tests.architecture.sources import Source


def _below(base: type[Model]) -> set[type[Model]]:
    """The models that are of `base`, at whatever depth."""
    found = set(base.__subclasses__())
    return {model for model in found if not model._meta.abstract}.union(*map(_below, found))


MIRRORED: set[type[Model]] = {
    *_below(Mirrored),
    *_below(SwarmMirrored),
    ContainerDetail,
    DiskReading,
    Event,
    Process,
    Series,
    StatsChunk,
    StatsRound,
    Swarm,
    SwarmMember,
    Use,
    Watch,
}
MODELS = {model.__name__: model for model in MIRRORED | {Host}}
PEOPLES = {
    "Adoption",
    "Backup",
    "Destination",
    "Forward",
    "Hold",
    "Policy",
    "Pull",
    "Quota",
    "Recording",
    "RecordingPart",
    "Registry",
    "RegistryAccount",
    "Reservation",
    "Share",
}  # models of hosts that no engine knows
_columns = [column.name for column in Host._meta.fields]
WATCHED = set(_columns[_columns.index("state") :])  # of a Host's columns
ROWS = {"save", "delete"}
METHODS = ROWS | {"create", "update", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "_raw_delete"}
METHODS |= {f"a{name}" for name in METHODS}
VAGUE = {
    "QuerySet",
    "VisibleQuerySet",
    "Rows",
    "Manager",
    "Model",
    "Mirrored",
    "SwarmMirrored",
    "ForServices",
    "Owned",
    "Shared",
}  # in an annotation
RELATED = {"add", "set", "clear", "remove"}  # on the manager of a relation
MANAGERS = {"objects", "_default_manager", "_base_manager"}
UNKNOWN = "a model that cannot be told"
SQL = re.compile(
    rf"\b(insert\s+into|update|delete\s+from)\s+\W?({'|'.join(model._meta.db_table for model in MODELS.values())})\b",
    re.IGNORECASE,
)


def _relations() -> dict[str, str]:
    """Attribute -> model, for each way from one of our models to one of them."""
    found: dict[str, str] = {}
    for model in MODELS.values():
        for relation in model._meta.get_fields(include_hidden=False):
            other = relation.related_model
            if isinstance(other, type) and issubclass(other, Model) and other.__name__ in MODELS:
                accessor = relation.get_accessor_name() if hasattr(relation, "get_accessor_name") else relation.name
                found[str(accessor)] = other.__name__
    return found


RELATIONS = _relations()


@dataclass
class Finder:
    """Reads one module. `functions`: the product's functions by name -> the model that they return, "" for none."""

    source: Source
    functions: dict[str, str]
    found: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Sentences, one a write."""
        self._scope(self.source.tree.body, {})
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                self._report(node, "SQL that writes a mirrored table")
        return self.found

    def _report(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.found.append(f"{self.source.name}:{node.lineno} {what}")

    # ---------------------------------------------------------------- scopes
    def _scope(self, body: list[ast.stmt], outer: dict[str, str]) -> None:
        names = dict(outer)
        inner: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
        nodes = list(_own(body))
        for _ in range(2):  # a loop's second round knows what its first one assigned
            for node in nodes:
                self._bind(node, names)
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner.append(node)
            elif isinstance(node, ast.Call):
                self._check_call(node, names)
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                self._check_assignment(node, names)
        for definition in inner:
            if isinstance(definition, ast.ClassDef):
                self._scope(definition.body, names)
            else:
                self._scope(definition.body, names | _parameters(definition.args))

    def _bind(self, node: ast.AST, names: dict[str, str]) -> None:
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                if alias.name in MODELS or alias.name in PEOPLES:
                    names[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._name(target, self.model(node.value, names), names)
        elif isinstance(node, ast.AnnAssign):
            told = _named(node.annotation) or (self.model(node.value, names) if node.value else "")
            self._name(node.target, told, names)
        elif isinstance(node, ast.NamedExpr):
            self._name(node.target, self.model(node.value, names), names)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._name(node.target, self.model(node.iter, names), names)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._name(node.optional_vars, self.model(node.context_expr, names), names)
        elif isinstance(node, ast.Lambda):
            names |= _parameters(node.args)

    def _name(self, target: ast.expr, model: str, names: dict[str, str]) -> None:
        if not model:
            return
        for part in ast.walk(target):
            if isinstance(part, ast.Name | ast.Attribute):
                names[ast.unparse(part)] = model

    # ---------------------------------------------------------------- what an expression holds
    def model(self, node: ast.AST | None, names: dict[str, str]) -> str:
        """The model's name, UNKNOWN, or "" when it is none of ours."""
        match node:
            case ast.Name():
                return names.get(node.id, "")
            case ast.Attribute():
                return self._attribute(node, names)
            case ast.Call():
                return self._call(node, names)
            case ast.Dict():
                return self._first(node.values, names)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._first(node.elts, names)
            case ast.DictComp():
                return self.model(node.value, names)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.model(node.elt, names)
            case ast.IfExp():
                return self._first([node.body, node.orelse], names)
            case ast.BoolOp():
                return self._first(node.values, names)
            case ast.BinOp():
                return self._first([node.left, node.right], names)
            case ast.Subscript() | ast.Await() | ast.NamedExpr() | ast.Starred():
                return self.model(node.value, names)
            case _:
                return ""

    def _first(self, nodes: Iterable[ast.AST], names: dict[str, str]) -> str:
        return next((found for node in nodes if (found := self.model(node, names))), "")

    def _attribute(self, node: ast.Attribute, names: dict[str, str]) -> str:
        if ast.unparse(node) in names:
            return names[ast.unparse(node)]
        if node.attr in MANAGERS:
            return self.model(node.value, names) or ("" if _is_foreign(node.value) else UNKNOWN)
        return RELATIONS.get(node.attr) or (node.attr if node.attr in MODELS else "")

    def _call(self, node: ast.Call, names: dict[str, str]) -> str:
        if isinstance(node.func, ast.Attribute) and (held := self.model(node.func.value, names)):
            return held  # a query's method gives a query or a row of the same model
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in names and name in MODELS:
            return name
        if name in self.functions:
            return self.functions[name]
        return self.model(node.func, names) or self._first(node.args, names)

    # ---------------------------------------------------------------- what writes
    def _check_call(self, node: ast.Call, names: dict[str, str]) -> None:
        if not isinstance(node.func, ast.Attribute):
            if self.model(node.func, names) == "Host":
                self._check_columns(node, "Host(...)")
            return
        method, held = node.func.attr, self.model(node.func.value, names)
        on_relation = isinstance(node.func.value, ast.Attribute) and node.func.value.attr in RELATIONS
        if method not in METHODS and not (method in RELATED and on_relation and held in MODELS):
            return
        if held in PEOPLES:
            return
        if held == "Host":
            self._check_host(node, method.removeprefix("a"))
        elif held:
            self._report(node, f"{method}() on {held}")
        elif method.removeprefix("a") in ROWS and not node.args:
            self._report(node, f"{method}() of a row that cannot be told: annotate it")

    def _check_host(self, node: ast.Call, method: str) -> None:
        if method == "save":
            arguments = {keyword.arg: keyword.value for keyword in node.keywords}
            fields = arguments.get("update_fields")
            if fields is not None:
                self._check_names(node, fields)
            elif "force_insert" not in arguments:
                self._report(node, "save() of a Host with all its columns: what the watcher wrote meanwhile is lost")
        elif method == "bulk_update":
            given = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "fields"), node]
            self._check_names(node, given[0])
        elif method in METHODS - ROWS:
            self._check_columns(node, f"{method}() on Host")

    def _check_columns(self, node: ast.Call, what: str) -> None:
        for keyword in node.keywords:
            if keyword.arg in WATCHED:
                self._report(node, f"{what} sets {keyword.arg}")
            elif keyword.arg in {None, "defaults", "create_defaults"}:
                keys = keyword.value.keys if isinstance(keyword.value, ast.Dict) else [None]
                for key in keys:
                    if not isinstance(key, ast.Constant) or key.value in WATCHED:
                        self._report(node, f"{what} sets columns that cannot be told or are the watcher's")

    def _check_names(self, node: ast.Call, names: ast.expr) -> None:
        told = self._strings(names)
        if told is None or told & WATCHED:
            self._report(node, "writes columns of a Host that cannot be told or are the watcher's")

    def _strings(self, node: ast.expr) -> set[str] | None:
        """The strings of a list, also of the module's constants in it; None when they cannot be told."""
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.List() | ast.Tuple() | ast.Set():
                parts = [self._strings(part) for part in node.elts]
                return None if None in parts else set().union(*(part for part in parts if part))
            case ast.Starred():
                return self._strings(node.value)
            case ast.Name():
                for statement in self.source.tree.body:
                    if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == node.id:
                        return self._strings(statement.value)
        return None

    def _check_assignment(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign, names: dict[str, str]) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if (
                isinstance(target, ast.Attribute)
                and target.attr in WATCHED
                and self.model(target.value, names) == "Host"
            ):
                self._report(node, f"sets {target.attr} of a Host")


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a scope in their order, without those of the scopes inside it."""
    for statement in body:
        yield from _walk(statement)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _parameters(arguments: ast.arguments) -> dict[str, str]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    found += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return {a.arg: _named(a.annotation) for a in found}


def _named(annotation: ast.expr | None) -> str:
    """The model in an annotation, UNKNOWN for a query of any, "" for none."""
    words = set(re.findall(r"\w+", ast.unparse(annotation))) if annotation else set()
    return next((name for name in [*MODELS, *PEOPLES] if name in words), UNKNOWN if words & VAGUE else "")


def _is_foreign(node: ast.expr) -> bool:
    """Whether a manager's owner is a class by name that is none of ours: `User.objects`."""
    return isinstance(node, ast.Name) and node.id[:1].isupper()


def returning(sources: Iterable[Source]) -> dict[str, str]:
    """The model that each function of the product returns by its annotation; functions that may return anything, and
    names that mean several things, are left out."""
    found: dict[str, set[str]] = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                words = set(re.findall(r"\w+", ast.unparse(node.returns))) if node.returns else {"Any"}
                vague = bool(words & ({"Any", "Self", "object"} | VAGUE))
                found.setdefault(node.name, set()).add("?" if vague else _named(node.returns))
    return {name: models.pop() for name, models in found.items() if len(models) == 1 and "?" not in models}


def writes(sources: Iterable[Source], context: Iterable[Source] = ()) -> list[str]:
    """Every write to a mirrored row in `sources`; functions of `context` are known to them."""
    sources = list(sources)
    functions = returning([*context, *sources])
    return [sentence for source in sources for sentence in Finder(source, functions).run()]
