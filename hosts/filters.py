"""The filters of lists: the same for page and API, and the URL holds them."""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import QueryDict

Rows = TypeVar("Rows", bound=QuerySet[Any])
PAGE_SIZE = 50
PAGE_SIZE_AT_MOST = 500


@dataclass(frozen=True)
class Chip:
    """A filter that is on: what it says, and the query string without it."""

    label: str
    without: str


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
    all), `sort`, and `chips` (filters that are on, none yet)."""
    page: Any = Paginator(rows, PAGE_SIZE).get_page(params.get("page", "1")[:8])
    page.items = list(page.object_list)
    page.count, page.sort, page.chips = page.paginator.count, sort, []
    return page


def without(params: QueryDict, name: str, value: str) -> str:
    """The query string without `name`=`value`, back on the first page."""
    rest = params.copy()
    rest.setlist(name, [v for v in rest.getlist(name) if v != value])
    rest.pop("page", None)
    return rest.urlencode()


# ---------------------------------------------------------------- containers
CONTAINER_FILTERS = ("host", "state", "health", "image", "project", "label")
CONTAINER_SORTS = {
    "name": ["name"],
    "state": ["state", "name"],
    "host": ["host__name", "name"],
    "image": ["image", "name"],
    "project": ["project", "service", "name"],
    "created": ["created"],
    "started": ["started"],
}


def containers(rows: Rows, params: QueryDict) -> tuple[Rows, list[Chip]]:
    """Containers filtered by host, state, health, image, project, label (name or name=value) and search."""
    chips: list[Chip] = []
    for name in CONTAINER_FILTERS:
        values = [v.replace("\0", "")[:300] for v in params.getlist(name) if v][:50]
        if not values:
            continue
        rows = rows.filter(_container_condition(name, values))
        chips += [Chip(f"{name}: {value}", without(params, name, value)) for value in values]
    return search(rows, params.get("search", ""), ["name", "image", "project", "service", "host__name"]), chips


def _container_condition(name: str, values: list[str]) -> Q:
    if name == "host":
        return Q(host__name__in=values)
    if name in {"state", "health", "project"}:
        return Q(**{f"{name}__in": ["" if v == "none" else v for v in values]})
    found = Q()
    for value in values:
        if name == "image":
            found |= Q(image=value) | Q(image__startswith=f"{value}:") | Q(image_id__startswith=value)
        else:
            key, _, content = value.partition("=")
            # one level: a label's name may hold dots and dashes, a JSON path lookup takes it whole
            found |= Q(**{f"labels__{key}": content}) if content and "__" not in key else Q(labels__has_key=key)
    return found
