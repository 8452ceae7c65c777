"""Times that somebody writes into a field or an address."""

import re
from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop

from common.errors import Invalid

NUMBER = re.compile(r"\d{1,11}(\.\d{1,9})?", re.ASCII)
WRITTEN_AT_MOST = 64  # characters


def moment(field: str, values: list[str]) -> datetime:
    """The last of `values`: RFC 3339, UTC where no zone is given, or seconds since 1970. Raises Invalid."""
    text = values[-1].strip()[:WRITTEN_AT_MOST]
    try:
        found = datetime.fromtimestamp(float(text), UTC) if NUMBER.fullmatch(text) else parse_datetime(text)
        if found is not None:
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(field, gettext_noop("Write a time like 2026-11-24T06:38:36Z, or seconds since 1970."))
