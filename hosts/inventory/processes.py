"""Writes what web processes count, for all of them to show."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from hosts.models import WebProcess

KEPT = timedelta(days=1)  # after its last word; a counter that ends is no counter that went back


def report(owner: str, counts: Any) -> None:
    """Stores the counts of the process `owner`; forgets processes that have been silent for long."""
    now = timezone.now()
    WebProcess.objects.update_or_create(owner=owner, defaults={"seen": now, "counts": counts})
    WebProcess.objects.filter(seen__lt=now - KEPT).delete()
