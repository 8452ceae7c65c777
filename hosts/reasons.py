"""Why a view shows nothing: sentences for lists without rows, charts without points, terminals that cannot be opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags.ui import clock
from hosts.models import Container, Host, Series
from hosts.models.hosts import HostState

HOSTS_SHOWN = 4


# ---------------------------------------------------------------- lists
@dataclass(frozen=True)
class NoRows:
    """Why a list of what is on hosts is empty. `hosts` are those that were never listed, the first ones of `more`."""

    kind: Literal["no_host", "disabled", "unlisted", "filtered", "none"]
    hosts: Sequence[Host] = ()
    more: int = 0


def no_rows(user: Any, names: list[str], *, is_filtered: bool) -> NoRows:
    """`names` are the hosts that the list is narrowed to, none for all."""
    everything = Host.objects.visible_to(user).defer("tls_ca", "tls_cert", "tls_key", "ssh_key", "ssh_known_hosts")
    meant = everything.filter(name__in=names) if names else everything
    unlisted = meant.filter(enabled=True, last_seen=None).order_by("name")
    count = unlisted.count()
    if count and (names or not is_filtered):
        return NoRows("unlisted", list(unlisted[:HOSTS_SHOWN]), max(0, count - HOSTS_SHOWN))
    if is_filtered:
        return NoRows("filtered")
    if not everything.exists():
        return NoRows("no_host")
    return NoRows("none" if everything.filter(enabled=True).exists() else "disabled")


# ---------------------------------------------------------------- charts
def no_samples(host: Host, container: Container | None, series: Series | None) -> str:
    """Why a chart has no point. `container` is None for a host's sum, and for one that was removed."""
    if not host.enabled:
        return _("Nothing was sampled in this time. The host is disabled: its containers are not sampled.")
    if not host.is_live:
        words = {"state": host.get_state_display(), "since": clock(host.since), "reason": host.reason}
        if host.state == HostState.CONNECTING:
            return _("Nothing was sampled in this time. The host is being connected.")
        return _("Nothing was sampled in this time. The host is %(state)s since %(since)s: %(reason)s") % words
    if container is not None and container.state != "running":
        return _("Nothing was sampled in this time. The container does not run: only running ones are sampled.")
    if series is None:
        seconds = round(host.sample_seconds)
        return ngettext(
            "No sample yet. Running containers are sampled every %(n)s second; a rate needs two samples.",
            "No sample yet. Running containers are sampled every %(n)s seconds; a rate needs two samples.",
            seconds,
        ) % {"n": seconds}
    return _("Nothing was sampled in this time. The last sample is of %(when)s.") % {"when": clock(series.sampled)}


# ---------------------------------------------------------------- terminals
def no_terminal(container: Container) -> str:
    """Why no terminal can be opened, "" when one can."""
    host = container.host
    if not host.enabled:
        return _("The host of this container is disabled. Enable it to open a terminal.")
    if not host.is_live:
        return _("The host is %(state)s since %(since)s: %(reason)s") % {
            "state": host.get_state_display(),
            "since": clock(host.since),
            "reason": host.reason or "-",
        }
    if container.state == "paused":
        return _("The container is paused. Let it go on to open a terminal.")
    if container.state != "running":
        return _("The container does not run. Start it to open a terminal.")
    return ""
