"""The filters of lists: the same for page and API, and the URL holds them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Case, Count, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, IsNull
from django.http import QueryDict

from accounts.rights import Right, allows
from hosts.models.containers import NEEDS_ATTENTION
from hosts.models.hosts import LIVE_STATES

Rows = TypeVar("Rows", bound=QuerySet[Any])
PAGE_SIZE = 50
VALUE_AT_MOST = 300  # characters of a filter's value
VALUES_AT_MOST = 50
CHOICES_AT_MOST = 200  # values of a filter that its menu lists, the frequent ones
NONE = "none"  # how the URL names the empty value


@dataclass(frozen=True)
class Choice:
    """One value of a filter: how many rows it would leave, and whether it is on."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """One filter of a list: its values with counts, those that are on, and the query string without it.

    `more` says that there are values which are not listed.
    """

    name: str
    choices: list[Choice]
    chosen: list[str]
    without: str
    more: bool = False


Narrow = Callable[[QuerySet[Any], QueryDict], QuerySet[Any]]


def words(query: str) -> list[str]:
    """The words of a search, bounded."""
    return query.replace("\0", "")[:200].split()[:8]


def search(rows: Rows, query: str, fields: list[str]) -> Rows:
    """Rows in which every word occurs in one of `fields`."""
    for word in words(query):
        anywhere = Q()
        for name in fields:
            anywhere |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(anywhere)
    return rows


def order(rows: Rows, asked: str, allowed: dict[str, list[str]], default: str) -> tuple[Rows, str]:
    """Rows sorted by `asked` ("name" or "-name") if that is allowed, and what they are sorted by."""
    sort = asked if asked.removeprefix("-") in allowed else default
    sign = "-" if sort.startswith("-") else ""
    keys = [f"-{key}" if sign and not key.startswith("-") else key for key in allowed[sort.removeprefix("-")]]
    return rows.order_by(*keys, "pk"), sort


def page_of(rows: QuerySet[Any], params: QueryDict, sort: str) -> Any:
    """The page that `params` ask for (page=N; the nearest there is), with `items` (its rows as a list), `count` (of
    all) and `sort`."""
    page: Any = Paginator(rows, PAGE_SIZE).get_page(params.get("page", "1")[:8])
    page.items = list(page.object_list)
    page.count, page.sort = page.paginator.count, sort
    return page


def asked(params: QueryDict, name: str) -> list[str]:
    """The values of the filter `name`, bounded."""
    values = (value.replace("\0", "")[:VALUE_AT_MOST] for value in params.getlist(name)[:VALUES_AT_MOST])
    return [value for value in values if value]


def without(params: QueryDict, name: str) -> QueryDict:
    """`params` without `name`, back on the first page."""
    rest = params.copy()
    for gone in (name, "page"):
        rest.pop(gone, None)
    return rest


def any_of(conditions: Iterable[Q]) -> Q:
    """One of `conditions`, which has at least one."""
    return reduce(or_, conditions)


def one_of(column: str, values: list[str]) -> Q:
    """`column` holds one of `values`."""
    return Q(**{f"{column}__in": ["" if value == NONE else value for value in values]})


def facets(rows: QuerySet[Any], params: QueryDict, columns: Mapping[str, str], narrow: Narrow) -> list[Facet]:
    """A facet for each of `columns` (filter -> column of the table; "" for one whose values are not listed).

    The counts of a filter's values are what `narrow` leaves of `rows` by all the other filters.
    """
    return [_facet(rows, params, name, column, narrow) for name, column in columns.items()]


def _facet(rows: QuerySet[Any], params: QueryDict, name: str, column: str, narrow: Narrow) -> Facet:
    others, chosen = without(params, name), asked(params, name)
    counted: dict[str, int] = {}
    if column:
        found = narrow(rows, others).order_by().values_list(column).annotate(n=Count("pk")).order_by("-n", column)
        counted = {str(value) or NONE: n for value, n in found[: CHOICES_AT_MOST + 1]}
    more = len(counted) > CHOICES_AT_MOST
    values = sorted({*list(counted)[:CHOICES_AT_MOST], *chosen}, key=lambda value: (value == NONE, value.casefold()))
    choices = [Choice(value, counted.get(value, 0), value in chosen) for value in values]
    return Facet(name, choices, chosen, others.urlencode(), more)


# ---------------------------------------------------------------- hosts
HOST_FACETS = {"state": "state", "kind": "kind", "engine": "engine", "label": ""}
HOST_SORTS = {
    "name": ["name"],
    "state": ["state", "name"],
    "engine": ["engine", "engine_version", "name"],
    "cpu": ["cpu_percent", "name"],
    "memory": ["memory_used", "name"],
    "seen": ["last_seen", "name"],
}


def hosts(rows: Rows, params: QueryDict) -> Rows:
    """Hosts filtered by state, kind (unix, tcp, tls, ssh), engine, label (name or name=value) and search."""
    for name, column in HOST_FACETS.items():
        if values := asked(params, name):
            rows = rows.filter(one_of(column, values) if column else any_of(map(_label_condition, values)))
    return search(rows, params.get("search", ""), ["name", "url", "engine_version", "os"])


# ---------------------------------------------------------------- containers
CONTAINER_FACETS = {
    "host": "host__name",
    "state": "state",
    "health": "health",
    "project": "project",
    "image": "image",
    "label": "",
    "attention": "",
}
CONTAINER_SORTS = {
    "name": ["name"],
    "state": ["state", "name"],
    "host": ["host__name", "name"],
    "image": ["image", "name"],
    "project": ["project", "service", "name"],
    "created": ["created"],
    "started": ["started"],
    "cpu": ["cpu_now"],
    "memory": ["memory_now"],
}


def with_figures(rows: Rows, user: Any) -> Rows:
    """Containers that can be sorted by what they use now; those of whom it is unknown, or hidden from `user`, are less."""
    if not allows(user, Right.STATS_VIEW):
        return rows.alias(cpu_now=Value(-1), memory_now=Value(-1))
    now = Q(state="running", host__state__in=LIVE_STATES)
    cpu = Coalesce(Case(When(now, then="series__cpu")), -1.0)
    memory = Coalesce(Case(When(now, then="series__memory")), -1)
    return rows.alias(cpu_now=cpu, memory_now=memory)


def containers(rows: Rows, params: QueryDict) -> Rows:
    """Containers filtered by host, state, health, image, project, label (name or name=value), attention=1 and search."""
    for name in CONTAINER_FACETS:
        if values := asked(params, name):
            rows = rows.filter(_container_condition(name, values))
    return search(rows, params.get("search", ""), ["name", "image", "project", "service", "host__name"])


def _container_condition(name: str, values: list[str]) -> Q:
    if name == "attention":
        return NEEDS_ATTENTION
    if name == "label":
        return any_of(_label_condition(value) for value in values)
    if name == "image":
        return any_of(
            Q(image=value) | Q(image__startswith=f"{value}:") | Q(image_id__startswith=value) for value in values
        )
    return one_of(CONTAINER_FACETS[name], values)


class LabelValue(Func):
    """The value of one label as text, NULL without it; its name may have dots, quotes, and be a number."""

    output_field = TextField()

    def __init__(self, name: str) -> None:
        super().__init__(F("labels"), Value(name))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(SELECT value FROM json_each(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") WHERE key = (", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" ->> ", **context)


def _label_condition(value: str) -> Q:
    name, equals, content = value.partition("=")
    return Q(Exact(LabelValue(name), content)) if equals else Q(IsNull(LabelValue(name), False))
