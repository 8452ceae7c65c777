"""What can be done to targets of the audit: add, change, test, remove. Who manages users does so: what everybody did leaves
the house by it."""

from dataclasses import replace
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.differences import difference, told
from accounts.models import AuditChain, Forward
from accounts.rights import Right
from hosts.access import EVERYWHERE, may
from hosts.actions.act import demand, failure
from hosts.engine.errors import EngineError
from hosts.forwarding import sending

# not the secret, and neither what in an address may be one
TOLD, MARKED = ("name", "kind", "place", "enabled", "inside"), ("ca", "address")
PEOPLES = ("name", "kind", "address", "ca", "secret", "inside", "enabled")


def add(actor: Any, forward: Forward, *, everything: bool = False) -> Forward:
    """Stores a new one, to which goes what is written from now on; with `everything` also all that is kept."""
    demand(actor, Right.USERS_MANAGE, EVERYWHERE)
    with transaction.atomic():
        forward.inside = _may_be_inside(actor, forward)
        forward.sent = 0 if everything else AuditChain.now().number
        forward.save(force_insert=True)
        detail = {"everything": everything} | difference({}, told(forward, *TOLD, marked=MARKED))
        record(actor, "forward.add", forward.name, detail=detail)
    return forward


def change(actor: Any, forward: Forward) -> Forward:
    """Stores a changed one. It goes on from where it has got to, at once."""
    demand(actor, Right.USERS_MANAGE, EVERYWHERE)
    with transaction.atomic():
        old = Forward.objects.select_for_update().get(pk=forward.pk)
        forward.inside = _may_be_inside(actor, forward)
        forward.failures, forward.retry_at = 0, None
        forward.save(update_fields=[*PEOPLES, "failures", "retry_at"])
        detail = difference(told(old, *TOLD, marked=MARKED), told(forward, *TOLD, marked=MARKED))
        if old.secret != forward.secret:
            detail["secret"] = "changed"
        record(actor, "forward.change", forward.name, detail=detail)
    return forward


def remove(actor: Any, forward: Forward) -> None:
    """Nothing is sent to it any more; what it has not got, it does not get."""
    demand(actor, Right.USERS_MANAGE, EVERYWHERE)
    with transaction.atomic():
        detail = {"sent": forward.sent} | difference(told(forward, *TOLD, marked=MARKED), {})
        forward.delete()
        record(actor, "forward.remove", forward.name, detail=detail)


def test(actor: Any, forward: Forward) -> None:
    """Sends it a word that is no entry. Raises Failure with what is wrong."""
    demand(actor, Right.USERS_MANAGE, EVERYWHERE)
    target = replace(sending.target_of(forward), inside=_may_be_inside(actor, forward))
    detail = {"kind": forward.kind, "place": forward.place}
    try:
        sending.try_out(target, forward.name)
    except EngineError as error:
        detail["reason"] = error.code
        record(actor, "forward.test", forward.name, outcome="failed", detail=detail)
        raise failure(error) from error
    record(actor, "forward.test", forward.name, detail=detail)


def _may_be_inside(actor: Any, forward: Forward) -> bool:
    """Whether Dermaga goes into private networks for it: for who manages all hosts, and where one of them stored it."""
    stored = Forward.objects.filter(pk=forward.pk, kind=forward.kind, address=forward.address, inside=True)
    return may(actor, Right.HOSTS_MANAGE, EVERYWHERE) or stored.exists()
