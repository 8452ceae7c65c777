"""Whose backups are: they go with the volume that they were made of, whoever it is given to."""

from collections.abc import Iterable
from typing import Any

from common.events import changed
from hosts.models import Backup, Host


def follow(host: Host, owner: int | None, volumes: Iterable[Any]) -> None:
    """The backups of these volumes, rows of the host, are this team's now."""
    moved = Backup.objects.filter(of_volume__in=[row.pk for row in volumes]).exclude(owner=owner)
    if keys := list(moved.values_list("pk", flat=True)):
        Backup.objects.filter(pk__in=keys).update(owner=owner)
        changed("backup", host.name, *map(str, keys))


def follow_rows(host: Host, fresh: Iterable[Any], old: dict[str, Any]) -> None:
    """After volumes were written that the table had before as `old`, by name. Labels of a volume never change: one that
    has others is another volume of the same name, and what was kept of the former one stays whose it was."""
    known = [(row, old[row.name]) for row in fresh if row.name in old]
    others = [was.pk for row, was in known if row.labels != was.labels]
    if others:
        Backup.objects.filter(of_volume__in=others).update(of_volume=None)
    for row, was in known:
        if row.labels == was.labels and row.owner_id != was.owner_id:
            follow(host, row.owner_id, [was])
