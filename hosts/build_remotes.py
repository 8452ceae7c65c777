"""Whose builds may fetch a Git repository from where: the engine fetches it, from the network that its host is in."""

from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.connections import Deadline, resolve
from common.errors import Invalid
from hosts.access import may
from hosts.models import Host
from hosts.registry.addresses import Level, level_of

LOOK_UP_SECONDS = 5.0


def demand_outside(actor: Any, host: Host, remote: str) -> None:
    """Raises Invalid for a repository inside a private network, or on the host itself, unless `actor` manages the host.
    What its name leads to is looked up here; the engine looks it up again, and follows redirects."""
    parts = urlsplit(remote)
    if may(actor, Right.HOSTS_MANAGE, host):
        return
    try:
        port = parts.port or 443
        found = resolve(parts.hostname or "", port, Deadline(LOOK_UP_SECONDS))
    except (OSError, ValueError) as error:
        words = gettext_noop(
            "Where %(name)s leads could not be found out. Check the address, or ask who manages the host."
        )
        raise Invalid("remote", words, {"name": parts.hostname or "?"}) from error
    level, address = max((level_of(str(address[0])), str(address[0])) for _family, address in found)
    if level > Level.PUBLIC:
        words = gettext_noop(
            "%(name)s leads to %(address)s, an address inside a private network. Only who manages the host %(host)s may let "
            "its engine fetch from there."
        )
        raise Invalid("remote", words, {"name": parts.hostname or "?", "address": address, "host": host.name})
