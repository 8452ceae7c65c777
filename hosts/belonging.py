"""Whose the volumes are that jobs work on, and of whom those that they make."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts.access import may
from hosts.models import Container, Host, Volume
from hosts.models.owners import TEAM_LABEL
from hosts.owning import Corner, is_limited, team_name, teams_there
from jobs.models import Job

MOVED = gettext_noop("%(name)s on %(host)s belongs to another team since this was asked for. Ask for it anew.")
SEVERAL = gettext_noop(
    "You are in several teams here: make the volume first, with the label dermaga.team, and restore into that one."
)


def place_of(job: Job, host: Host, name: str) -> Host | Volume:
    """What rights about a volume are asked of: its row, which says whose it is now; what is in no table is nobody's. Raises
    Conflict when that is another team than the job is for, since the job's page is that team's."""
    row = Volume.objects.select_related("host").filter(host=host, name=name).first()
    if row is not None and job.team_id not in {None, row.owner_id}:
        raise Conflict(MOVED, {"name": name, "host": host.name})
    return row or host


def is_by_team(job: Job, host: Host) -> bool:
    """Whether who started the job may do such things there with their teams' own alone."""
    return is_limited(job.by, Right.VOLUMES_MANAGE, host)


def name_for(job: Job, host: Host, engine_id: str, name: str) -> str:
    """What a job says of a container: a team does not read in its job how others call theirs."""
    ours = job.team_id is None or Container.objects.filter(host=host, engine_id=engine_id, owner=job.team_id).exists()
    return name if ours else _("a container of somebody else")


# ---------------------------------------------------------------- new ones
def labels_for(labels: Mapping[str, str], team: int | None) -> dict[str, str]:
    """Labels of a volume that is made from another one's content: it is this team's, whatever the other one's said."""
    rest = {name: value for name, value in labels.items() if name != TEAM_LABEL}
    owner = team_name(team)
    return rest | ({TEAM_LABEL: owner} if owner else {})


def corner_for(actor: Any, host: Host, *, field: str) -> Corner:
    """Where a volume belongs that `actor` makes of nothing that is a team's. Raises Invalid where that is not clear."""
    if may(actor, Right.VOLUMES_MANAGE, host):
        return Corner(host, None)
    teams = teams_there(actor, Right.VOLUMES_MANAGE, host)
    if len(teams) > 1:
        raise Invalid(field, SEVERAL)
    return Corner(host, teams[0] if teams else None)
