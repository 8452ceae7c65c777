"""The address of an object's page: what names it in addresses, and which page it has."""

from typing import Any

from django.urls import reverse

from common.templatetags.ui import short_id
from hosts.models import (
    Backup,
    Config,
    Container,
    Host,
    Image,
    Network,
    Node,
    Plugin,
    Registry,
    Secret,
    Service,
    Swarm,
    Task,
    Volume,
)
from jobs.models import Job, Schedule

NOUNS: dict[type[Any], str] = {
    Host: "host",
    Container: "container",
    Image: "image",
    Network: "network",
    Volume: "volume",
    Plugin: "plugin",
    Swarm: "swarm",
    Service: "service",
    Task: "task",
    Node: "node",
    Secret: "secret",
    Config: "config",
    Registry: "registry",
    Backup: "backup",
    Job: "job",
    Schedule: "schedule",
}


def page_of(row: Any) -> str:
    """The address of a row's page. Its host or swarm should have been fetched with it."""
    return reverse(f"{NOUNS[type(row)]}_page", args=args_of(row))


def args_of(row: Any) -> list[Any]:
    """What names it in the addresses of its page and its acts."""
    if isinstance(row, Host | Swarm | Registry):
        return [row.name]
    if isinstance(row, Backup | Job | Schedule):
        return [row.pk]
    if isinstance(row, Volume):
        return [row.host.name, row.name]
    if isinstance(row, Container | Image | Network | Plugin):  # by name a host may have two of them
        return [row.host.name, short_id(row.engine_id)]
    return [row.swarm.name, row.engine_id]


def stack_page(swarm: str, name: str) -> str:
    """That of a stack, which is no row."""
    return reverse("stack_page", args=[swarm, name])
