"""Heads of groups in the table of containers: what the group is called and how much is in it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Min, Q, QuerySet

from hosts.models import Container, Host

GROUPS = {"host": "host__name", "project": "project"}


@dataclass(frozen=True)
class Group:
    """One group. `host` is set when all of it is on one host; `key` is "" for the group without a project."""

    key: str
    containers: int
    hosts: int
    host: Host | None


def grouped(rows: QuerySet[Any], by: str) -> QuerySet[Any]:
    """`rows` with the groups one after the other, the one without a name last, each in the order that `rows` have."""
    if by not in GROUPS:
        return rows
    nameless = ExpressionWrapper(Q(**{GROUPS[by]: ""}), BooleanField())
    return rows.order_by(nameless, GROUPS[by], *rows.query.order_by)


def add_groups(items: list[Container], matching: QuerySet[Any], by: str) -> None:
    """Sets `group` of each of `items` (None without `by`); counts are of all that `matching` holds."""
    column = GROUPS.get(by)
    keys = [_key(container, by) for container in items]
    found: dict[str, Group] = {}
    if column:
        counts = matching.filter(**{f"{column}__in": set(keys)}).order_by().values_list(column)
        hosts = {container.host_id: container.host for container in items}
        for key, n, many, first in counts.annotate(Count("pk"), Count("host", distinct=True), Min("host")):
            found[key] = Group(key, n, many, hosts.get(first) if many == 1 else None)
    for container, key in zip(items, keys, strict=True):
        container.group = found.get(key)  # type: ignore[attr-defined]


def _key(container: Container, by: str) -> str:
    return container.host.name if by == "host" else container.project
