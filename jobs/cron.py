"""Times of a cron expression in a time zone. Where clocks change, Debian's cron is followed: what falls into the hour
that is left out runs at once after it, what falls into the hour that comes twice runs once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.utils.translation import gettext_noop

from common.errors import Invalid


def times(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """The times after `after`, in UTC; none that is more than fifty years away. Raises Invalid, naming the field."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the zones is no zone
        raise Invalid(
            "timezone", gettext_noop("There is no time zone %(name)s. Example: Asia/Jakarta."), {"name": timezone[:60]}
        ) from error
    try:
        found = CronSim(" ".join(cron.split()), after.astimezone(zone))
    except CronSimError as error:
        raise Invalid(
            "cron",
            gettext_noop("This is not a cron expression. Write minute, hour, day, month and weekday: 30 2 * * 1-5."),
        ) from error
    return (time.astimezone(UTC) for time in found)


def next_time(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The first of `times`."""
    return next(times(cron, timezone, after), None)
