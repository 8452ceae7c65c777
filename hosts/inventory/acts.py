"""What Dermaga itself has just done at its hosts. An engine drops events of a reader that was busy for 100 ms; what
somebody did here shows all the same, and not only with the next full list."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AuditEntry
from hosts.models import Host

# Rows of a transaction that is still open show later than others that began after it.
SHOWS_WITHIN = timedelta(seconds=5)
ACTS_AT_MOST = 1000
# Containers are asked for again after each event, and who makes one puts it into the table.
MAY_HAVE_MOVED = {
    "image": ("image",),
    "network": ("network",),
    "volume": ("volume",),
    "plugin": ("plugin",),
    "system": ("image", "network", "volume"),
}


class Acts:
    """Reads the audit as it grows."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def new(self) -> dict[int, set[str]]:
        """By host's key the nouns of what was done there since the last time, whatever its outcome."""
        since = timezone.now() - SHOWS_WITHIN
        rows = AuditEntry.objects.filter(time__gt=since).exclude(host="").exclude(outcome="refused").order_by("-pk")
        found = {pk: (host, action) for pk, host, action in rows.values_list("pk", "host", "action")[:ACTS_AT_MOST]}
        touched: dict[str, set[str]] = {}
        for pk in found.keys() - self._known:
            host, action = found[pk]
            touched.setdefault(host, set()).update(MAY_HAVE_MOVED.get(action.partition(".")[0], ()))
        self._known = set(found)
        hosts = Host.objects.filter(name__in=touched).values_list("pk", "name") if touched else ()
        return {pk: touched[name] for pk, name in hosts}
