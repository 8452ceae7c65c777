"""Whether a job may make a new volume, said before there is one."""

from typing import Any

from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right
from common.errors import Invalid, QuotaExceeded
from hosts.access import may
from hosts.actions import policing
from hosts.actions.act import demand, demand_enabled
from hosts.models import Volume
from hosts.owning import HIDDEN, Corner, check_made, is_limited
from hosts.policy.volumes import check_volume
from hosts.quotas import allotting
from hosts.quotas.amounts import Amount
from hosts.volume_plan import NAME, NOT_A_NAME

TAKEN = gettext_noop("There is a volume called %(name)s on %(host)s already. Choose another name.")


def check_new(actor: Any, corner: Corner, name: str, *, field: str, action: str, taken: str = TAKEN) -> None:
    """Before there is a job that makes the volume `name`. Raises Denied, Conflict for a host that is disabled, Invalid for
    a name that is none or taken, and what policy and quota refuse. Of one that is another team's, or will be once it is
    there, everybody hears the same."""
    host, told = corner.host, {"name": name, "host": corner.host.name}
    demand(actor, Right.VOLUMES_MANAGE, corner)
    demand_enabled(host)
    if not NAME.fullmatch(name):
        raise Invalid(field, NOT_A_NAME)
    found = Volume.objects.select_related("host").filter(host=host, name=name).first()
    hidden = is_limited(actor, Right.VOLUMES_MANAGE, host)
    if found is not None and (not hidden or may(actor, Right.VOLUMES_VIEW, found)):
        raise Invalid(field, taken, told)
    if found is not None:
        raise Invalid(field, HIDDEN, told)
    if hidden:
        check_made(host, "volume", name, corner.owner_id, field)
    policing.allow_now(actor, host, action, name, lambda rules: check_volume({"Name": name, "Driver": "local"}, rules))
    try:
        allotting.check(corner.owner_id, host, Amount(volumes=1))
    except QuotaExceeded as error:
        record(actor, action, name, host=host.name, outcome="refused", detail={"reason": error.code})
        raise
