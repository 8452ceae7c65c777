"""Whose mirrored objects are: an administrator's word goes first, then the label `dermaga.team`.

A container has the labels of its image. Whoever makes an image must not make themselves the owner of what others run from
it: a label that the image has too says nothing.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django.db import transaction

from accounts.models import Team
from common.events import changed
from hosts.models import Adoption, Container, Host, Image, Network, Share, Volume
from hosts.models.base import Owned
from hosts.models.owners import OWNED, TEAM_LABEL, key_of

MODELS: dict[str, type[Owned]] = {"container": Container, "image": Image, "network": Network, "volume": Volume}
COLUMNS = ("name", "project", "service", "engine_id", "labels", "image_id")


class Owners:
    """Tells the owners of objects of one noun on one host, and asks the database once."""

    def __init__(self, host: Host, noun: str) -> None:
        self.host, self.noun = host, noun

    @cached_property
    def _teams(self) -> dict[str, int]:
        return dict(Team.objects.order_by().values_list("name", "pk"))

    @cached_property
    def _adopted(self) -> dict[str, int | None]:
        rows = Adoption.objects.filter(host=self.host, noun=self.noun)
        return dict(rows.values_list("key", "team")) if self._teams else {}

    @cached_property
    def _of_images(self) -> dict[str, str]:
        """Of each image of the host that has the label, what it says."""
        rows = Image.objects.filter(host=self.host).values_list("engine_id", "labels")
        return {key: str(labels[TEAM_LABEL]) if TEAM_LABEL in labels else "" for key, labels in rows}

    def of(self, values: Mapping[str, Any]) -> int | None:
        """The key of the team whose it is; `values` are the columns of its row."""
        if not self._teams:
            return None
        key = key_of(self.noun, values)
        if key in self._adopted:
            return self._adopted[key]
        said = str(values["labels"].get(TEAM_LABEL) or "")
        team = self._teams.get(said)
        if team is None or self.noun == "image":  # whoever builds one says what they like in it
            return None
        if self.noun == "container" and self._of_images.get(values["image_id"], said) == said:
            return None
        return team

    def given(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, each with the column `owner_id`."""
        return [row | {"owner_id": self.of(row)} for row in rows]


def apply_owners(hosts: Iterable[Host], nouns: Iterable[str] = OWNED) -> None:
    """Decides anew of all that is stored: after a word of somebody, or when teams came, went or were called otherwise."""
    for host in hosts:
        for noun in nouns:
            _apply(host, noun)


def _apply(host: Host, noun: str) -> None:
    owners = Owners(host, noun)
    model: type[Owned] = MODELS[noun]
    with transaction.atomic():
        moved: dict[int | None, list[Any]] = {}
        for row in model.objects.filter(host=host).only(*_columns(model), "owner"):
            owner = owners.of({name: getattr(row, name) for name in _columns(model)})
            if owner != row.owner_id:
                moved.setdefault(owner, []).append(row)
        for owner, rows in moved.items():
            model.objects.filter(pk__in=[row.pk for row in rows]).update(owner=owner)
        if moved:
            key = "name" if noun == "volume" else "engine_id"
            changed(noun, host.name, *(getattr(row, key) for rows in moved.values() for row in rows))


def _columns(model: type[Owned]) -> list[str]:
    known = {field.name for field in model._meta.get_fields()}
    return [name for name in COLUMNS if name in known]


def owner_of_event(host: Host, row: Mapping[str, Any]) -> int | None:
    """The team that an event is about."""
    model = MODELS.get(row["kind"])
    if model is None or not Team.objects.exists():
        return None
    by = "name" if row["kind"] == "volume" else "engine_id"
    found = model.objects.filter(host=host, **{by: row["actor_id"]}).values_list("owner", flat=True).first()
    return int(found) if found else None


def end_shares(host: Host, noun: str, gone: Iterable[Any]) -> None:
    """Of objects that are not there any more: what comes under the name of one is shared with nobody."""
    if noun in OWNED and noun != "container":
        Share.objects.filter(host=host, noun=noun, key__in=[getattr(row, row.key_column) for row in gone]).delete()
