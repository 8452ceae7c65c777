"""Lists: what a table can be searched, filtered and sorted by. The same for page and API; the URL holds all of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render

from common import exports
from common.htmx import is_fragment, template_for

Rows = TypeVar("Rows", bound=QuerySet[Any])
PAGE_SIZE = 50
SEARCH_AT_MOST, WORDS_AT_MOST = 200, 8  # characters, words
VALUE_AT_MOST = 300  # characters of a filter's value
VALUES_AT_MOST = 50
CHOICES_AT_MOST = 200  # values of a filter that its menu lists, the frequent ones
NONE = "none"  # how the URL names the empty value


@dataclass(frozen=True)
class Choice:
    """One value of a filter: how many rows it would leave (None where nobody counts), and whether it is on."""

    value: str
    count: int | None
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """One filter of a list: the values that are on, the query string without it, and whether it has a menu of values.

    The menu is fetched when it is opened (`Table.menu`): to count every value of every filter costs several times what
    the rows cost, and hardly anybody looks.
    """

    name: str
    chosen: list[str]
    without: str
    has_menu: bool


@dataclass(frozen=True)
class Menu:
    """The values of a filter. `more` says that there are values which are not listed."""

    name: str
    choices: list[Choice]
    more: bool


@dataclass(frozen=True)
class Table:
    """`search` names the columns in which words are looked for (see `searched`); `sorts` what "sort=NAME" orders by, `first` the one
    that holds unasked. `facets` are the filters, each with its column, whose values are counted ("": they are not
    listed). A filter in `conditions` is more than a comparison of its column; one in `listed` has a menu of values
    that are not counted, because the table is too long for that."""

    search: Sequence[str]
    sorts: Mapping[str, Sequence[str]]
    first: str
    facets: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Callable[[list[str]], Q]] = field(default_factory=dict)
    listed: Mapping[str, Callable[[], Iterable[str]]] = field(default_factory=dict)
    page_size: int = PAGE_SIZE

    def narrow(self, rows: Rows, params: QueryDict) -> Rows:
        """The rows that meet the filters and the search in `params`."""
        for name, column in self.facets.items():
            if values := asked(params, name):
                special = self.conditions.get(name)
                rows = rows.filter(special(values) if special else one_of(column, values))
        return searched(rows, params.get("search", ""), self.search)

    def ordered(self, rows: Rows, sort: str) -> tuple[Rows, str]:
        """`rows` sorted by `sort` ("name" or "-name") if that is allowed, and what they are sorted by."""
        used = sort if sort.removeprefix("-") in self.sorts else self.first
        sign = "-" if used.startswith("-") else ""
        keys = [f"{sign}{key}" for key in self.sorts[used.removeprefix("-")]]
        return rows.order_by(*keys, f"{sign}pk"), used

    def is_filtered(self, params: QueryDict) -> bool:
        """Whether anything narrows the list."""
        return any(params.get(name) for name in ("search", *self.facets))

    def context(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *related: str,
        sortable: Callable[[Any], Any] = lambda rows: rows,
        shape: Callable[[Any], Any] = lambda rows: rows,
        total: Callable[[], int] | None = None,
    ) -> dict[str, Any]:
        """What the page of this list shows: `page`, `total`, `is_filtered`, and for a whole page its `facets`.

        `related` are fetched with the rows; `sortable` gives the rows what they are sorted by, which counting does
        without; `shape` has the last word on them, for groups; `total` counts `rows` where somebody else does so too.
        """
        params, total = request.GET, total or rows.count
        matching = self.narrow(rows, params)
        count = total() if matching is rows else matching.count()
        ordered, sort = self.ordered(sortable(matching), params.get("sort", ""))
        shown = shape(ordered.select_related(*related) if related else ordered)
        page = page_of(shown, params, sort, count, self.page_size)
        context = {"page": page, "total": page.count, "is_filtered": self.is_filtered(params)}
        if context["is_filtered"]:
            context["total"] = count if matching is rows else total()
        if not is_fragment(request):
            context["facets"] = [self._facet(params, name) for name in self.facets]
        return context

    def _facet(self, params: QueryDict, name: str) -> Facet:
        return Facet(name, asked(params, name), without(params, name).urlencode(), bool(self.facets[name]))

    def file(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        columns: exports.Columns,
        name: str,
        *related: str,
        sortable: Callable[[Any], Any] = lambda rows: rows,
    ) -> HttpResponseBase | None:
        """The list behind the request's filters as a file, when it asks by "format=csv", "json" or
        "ndjson"."""
        kind = request.GET.get("format", "")
        if kind not in exports.KINDS:
            return None
        found, _ = self.ordered(sortable(self.narrow(rows, request.GET)), request.GET.get("sort", ""))
        return exports.as_file(found.select_related(*related) if related else found, columns, name, kind)

    def answer(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        columns: exports.Columns,
        name: str,
        *related: str,
        add: Callable[[list[Any]], None] = lambda items: None,
    ) -> HttpResponseBase:
        """The list called `name` as the request asks for it: its page (templates/NAME/page.html), its rows alone, the menu
        of a filter, or a file. `add` gives the rows of a page what they show besides."""
        if found := self.menu(request, rows) or self.file(request, rows, columns, name, *related):
            return found
        context = self.context(request, rows, *related)
        add(context["page"].items)
        return render(request, template_for(request, f"{name}/page.html", f"{name}/_rows.html"), context)

    def menu(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """The menu of the filter that the request asks for by "facet=NAME"; None when it asks for something else."""
        name = request.GET.get("facet", "")
        if not is_fragment(request) or not self.facets.get(name):
            return None
        return render(request, "components/facet_menu.html", {"menu": self.menu_of(rows, request.GET, name)})

    def menu_of(self, rows: QuerySet[Any], params: QueryDict, name: str) -> Menu:
        """The values of a filter; a value's count is what all the other filters leave of `rows` with it."""
        others, chosen, column = without(params, name), asked(params, name), self.facets[name]
        counted: dict[str, int | None] = {}
        if name in self.listed:
            counted = dict.fromkeys(self.listed[name]())
        else:
            found = self.narrow(rows, others).order_by().values_list(column)
            most = found.annotate(n=Count("pk")).order_by("-n", column)[: CHOICES_AT_MOST + 1]
            counted = {str(value) or NONE: n for value, n in most}
        values = {*list(counted)[:CHOICES_AT_MOST], *chosen}
        lost = None if name in self.listed else 0
        choices = [
            Choice(value, counted.get(value, lost), value in chosen)
            for value in sorted(values, key=lambda value: (value == NONE, value.casefold()))
        ]
        return Menu(name, choices, len(counted) > CHOICES_AT_MOST)


# ---------------------------------------------------------------- parts
def searched(rows: Rows, query: str, columns: Sequence[str]) -> Rows:
    """Rows in which every word of `query` occurs in one of `columns`, in capital letters or small ones. A column called
    "words" holds text in small letters; one of another table (host__name) is searched there, row for row of its own."""
    for word in query.replace("\0", "")[:SEARCH_AT_MOST].split()[:WORDS_AT_MOST]:
        rows = rows.filter(any_of(_has(rows, column, word) for column in columns))
    return rows


def _has(rows: QuerySet[Any], column: str, word: str) -> Q:
    if column == "words":
        return Q(words__contains=Lower(Value(word)))
    first, _, rest = column.partition("__")
    if not rest:
        return Q(**{f"{column}__icontains": word})
    # a join would look the other row up for each of ours: ten thousand times for a hundred hosts
    others = rows.model._meta.get_field(first).related_model._default_manager
    return Q(**{f"{first}__in": others.filter(**{f"{rest}__icontains": word}).order_by().values("pk")})


def page_of(rows: QuerySet[Any], params: QueryDict, sort: str, count: int, size: int = PAGE_SIZE) -> Any:
    """The page that `params` ask for (page=N; the nearest there is), with `items` (its rows as a list), `count` (of
    all) and `sort`."""
    paginator = Paginator(rows, size)
    paginator.count = count
    page: Any = paginator.get_page(params.get("page", "1")[:8])
    # the keys first: to sort whole rows with their labels and certificates takes ten times as long
    keys = list(page.object_list.values_list("pk", flat=True))
    found = rows.order_by().in_bulk(keys)
    page.items = [found[key] for key in keys if key in found]
    page.count, page.sort = count, sort
    return page


def asked(params: QueryDict, name: str) -> list[str]:
    """The values of the filter `name`, bounded."""
    values = (value.replace("\0", "")[:VALUE_AT_MOST] for value in params.getlist(name)[:VALUES_AT_MOST])
    return [value for value in values if value]


def without(params: QueryDict, name: str) -> QueryDict:
    """`params` without `name`, back on the first page."""
    rest = params.copy()
    for gone in (name, "page", "facet"):
        rest.pop(gone, None)
    return rest


def any_of(conditions: Iterable[Q]) -> Q:
    """One of `conditions`, which has at least one."""
    return reduce(or_, conditions)


def one_of(column: str, values: list[str]) -> Q:
    """`column` holds one of `values`."""
    return Q(**{f"{column}__in": ["" if value == NONE else value for value in values]})
