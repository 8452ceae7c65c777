"""What the list of jobs can be filtered and sorted by: the same for page and API."""

from operator import attrgetter

from common.exports import Columns
from common.lists import Table

JOBS = Table(
    search=("target", "host", "by_name", "error"),
    sorts={"started": ["id"], "state": ["state", "id"], "host": ["host", "id"], "by": ["by_name", "id"]},
    first="-started",
    facets={"state": "state", "host": "host", "by": "by_name"},
)
SCHEDULES = Table(
    search=("name", "target", "host", "by_name"),
    sorts={"name": ["name"], "next": ["next_run", "name"], "host": ["host", "name"]},
    first="name",
    facets={"host": "host", "by": "by_name"},
)
COLUMNS: Columns = {
    "id": attrgetter("pk"),
    **{
        name: attrgetter(name)
        for name in ("kind", "host", "target", "state", "progress", "error", "created", "started", "ended")
    },
    "by": attrgetter("by_name"),
}
SCHEDULE_COLUMNS: Columns = {
    **{
        name: attrgetter(name)
        for name in ("name", "kind", "host", "target", "cron", "timezone", "catch_up", "enabled", "next_run")
    },
    "by": attrgetter("by_name"),
}
