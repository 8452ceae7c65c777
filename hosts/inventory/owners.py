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
from hosts.inventory.backups import follow
from hosts.models import Adoption, Container, Host, Image, Network, Service, Share, Task, Volume
from hosts.models.base import Owned
from hosts.models.owners import OWNED, SWARM_SERVICE_ID, TEAM_LABEL, key_of

MODELS: dict[str, type[Owned]] = {"container": Container, "image": Image, "network": Network, "volume": Volume}
COLUMNS = ("name", "engine_id", "labels", "image_id")


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
    def _of_images(self) -> dict[str, dict[str, Any]]:
        """The labels of each image of the host."""
        rows = Image.objects.filter(host=self.host).values_list("engine_id", "labels")
        return {key: labels if isinstance(labels, dict) else {} for key, labels in rows}

    @cached_property
    def _services(self) -> dict[str, int]:
        """The owners of the services of the host's swarm, by id, of those that a team owns."""
        rows = Service.objects.filter(swarm__members__host=self.host, owner__isnull=False)
        return dict(rows.values_list("engine_id", "owner"))

    def _own_labels(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Without those that are its image's as well; none where that is not known (yet)."""
        labels: Mapping[str, Any] = values["labels"]
        if self.noun != "container":
            return labels
        if not labels or (of_image := self._of_images.get(values["image_id"])) is None:
            return {}
        return {name: value for name, value in labels.items() if of_image.get(name) != value}

    def key(self, values: Mapping[str, Any]) -> str:
        """What the word about its owner is kept by; `values` are the columns of its row."""
        return key_of(self.noun, values["name"], self._own_labels(values), values.get("engine_id", ""))

    def of(self, values: Mapping[str, Any]) -> int | None:
        """The key of the team whose it is; `values` are the columns of its row."""
        if not self._teams:
            return None
        key = self.key(values)
        if key in self._adopted:
            return self._adopted[key]
        if self.noun == "image":  # whoever builds one says what they like in it
            return None
        labels = self._own_labels(values)
        if self.noun == "container" and not labels.get(TEAM_LABEL):
            service = str(values["labels"].get(SWARM_SERVICE_ID) or "")
            if service and not labels.get(SWARM_SERVICE_ID):  # its image says so too, and anybody builds one
                task = Task.objects.filter(swarm__members__host=self.host, container_id=values["engine_id"])
                service = service if task.filter(service_ref=service).exists() else ""
            return self._services.get(service)
        return self._teams.get(str(labels.get(TEAM_LABEL) or ""))

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
            if noun == "volume":
                follow(host, owner, rows)
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


def forget_words(host: Host, noun: str, gone: Iterable[Any]) -> None:
    """Of objects that are not there any more: what comes under the name of one is shared with nobody, and an image that
    comes again is of who pulls it then."""
    if noun in OWNED and noun != "container":
        keys = [getattr(row, row.key_column) for row in gone]
        Share.objects.filter(host=host, noun=noun, key__in=keys).delete()
        if noun == "image":
            Adoption.objects.filter(host=host, noun=noun, key__in=keys).delete()


def move_word(host: Host, old: str, new: str) -> None:
    """A container that is called otherwise stays whose it is by somebody's word."""
    word = Adoption.objects.filter(host=host, noun="container", key=key_of("container", old, {})).first()
    if word is not None and old != new:
        said = {"team": word.team, "by_name": word.by_name}
        Adoption.objects.update_or_create(host=host, noun="container", key=key_of("container", new, {}), defaults=said)
