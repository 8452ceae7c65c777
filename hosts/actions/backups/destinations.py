"""What can be done to places for backups: add, change, test, remove."""

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference, told
from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts.access import EVERYWHERE, may
from hosts.actions.act import demand, failure
from hosts.engine.errors import EngineError
from hosts.models import Backup, Destination
from hosts.models.backups import BackupState
from hosts.stores import store as stores
from jobs.models.jobs import OPEN_STATES

TOLD = ("name", "kind", "folder", "url", "region", "bucket", "prefix", "inside")  # no keys
FIXED = ("kind", "folder", "url", "bucket", "prefix")  # what says where its backups are


def add(actor: Any, destination: Destination) -> Destination:
    """Stores a new one."""
    demand(actor, Right.BACKUPS_PLACES, EVERYWHERE)
    with transaction.atomic():
        destination.inside = _may_be_inside(actor, destination)
        destination.save(force_insert=True)
        record(
            actor, "destination.add", destination.name, detail=difference({}, told(destination, *TOLD, marked=("ca",)))
        )
    return destination


def change(actor: Any, destination: Destination) -> Destination:
    """Stores a changed one. Where backups lie stays the same as long as there are any."""
    demand(actor, Right.BACKUPS_PLACES, EVERYWHERE)
    with transaction.atomic():
        old = Destination.objects.get(pk=destination.pk)
        moved = [name for name in FIXED if getattr(old, name) != getattr(destination, name)]
        if moved and destination.backups.exists():
            words = gettext_noop("There are backups in it, which would not be found any more. Add another destination.")
            raise Invalid(moved[0], words)
        destination.inside = _may_be_inside(actor, destination)
        destination.save()
        detail = {
            **_detail(destination),
            **difference(told(old, *TOLD, marked=("ca",)), told(destination, *TOLD, marked=("ca",))),
        }
        record(actor, "destination.change", destination.name, detail=detail)
    return destination


def remove(actor: Any, destination: Destination) -> None:
    """Forgets it; only an empty one. Files that lie there and are no backups of ours are not touched."""
    demand(actor, Right.BACKUPS_PLACES, EVERYWHERE)
    try:
        with transaction.atomic():
            record(
                actor,
                "destination.remove",
                destination.name,
                detail=difference(told(destination, *TOLD, marked=("ca",)), {}),
            )
            # what a failed job could not clean up there, since the place is broken, must not keep it here
            halves = Backup.objects.filter(destination=destination, state=BackupState.WRITING)
            halves.exclude(job__state__in=OPEN_STATES).delete()
            destination.delete()
    except ProtectedError as error:
        n = Backup.objects.filter(destination=destination).count()
        words = gettext_noop("%(n)s backups are in %(name)s. Remove them first.")
        raise Conflict(words, {"n": n, "name": destination.name}) from error


def test(actor: Any, destination: Destination) -> None:
    """Writes, reads and removes a small file there."""
    demand(actor, Right.BACKUPS_PLACES, EVERYWHERE)
    destination.inside = _may_be_inside(actor, destination)
    try:
        stores.check(destination.store())
    except EngineError as error:
        detail = {**_detail(destination), "reason": error.code}
        record(actor, "destination.test", destination.name, outcome="failed", detail=detail)
        raise failure(error) from error
    record(actor, "destination.test", destination.name, detail=_detail(destination))


def _may_be_inside(actor: Any, destination: Destination) -> bool:
    """Whether Dermaga goes into private networks for it: for who manages all hosts, and where one of them stored it."""
    stored = Destination.objects.filter(pk=destination.pk, url=destination.url, inside=True)
    return may(actor, Right.HOSTS_MANAGE, EVERYWHERE) or stored.exists()


def _detail(destination: Destination) -> dict[str, Any]:
    return {"kind": destination.kind, "place": destination.place}
