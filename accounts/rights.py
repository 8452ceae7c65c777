"""Who may do what: rights by name, and the three built-in roles that hold them."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Right(StrEnum):
    """A rule that a page, a socket, an act or an API route names. PUBLIC and LOGIN are not rights but lower bars."""

    PUBLIC = "public"
    LOGIN = "login"
    HOSTS_VIEW = "hosts.view"
    HOSTS_MANAGE = "hosts.manage"
    CONTAINERS_VIEW = "containers.view"
    CONTAINERS_CREATE = "containers.create"
    CONTAINERS_OPERATE = "containers.operate"
    CONTAINERS_REVEAL = "containers.reveal"
    CONTAINERS_TERMINAL = "containers.terminal"
    CONTAINERS_FILES = "containers.files"
    IMAGES_VIEW = "images.view"
    IMAGES_MANAGE = "images.manage"
    NETWORKS_VIEW = "networks.view"
    NETWORKS_MANAGE = "networks.manage"
    VOLUMES_VIEW = "volumes.view"
    VOLUMES_MANAGE = "volumes.manage"
    BACKUPS_VIEW = "backups.view"  # and the places where they lie
    BACKUPS_MANAGE = "backups.manage"  # make, download, restore, remove: whoever has a backup has all that is in it
    BACKUPS_PLACES = "backups.places"  # where they may lie
    REGISTRIES_VIEW = "registries.view"
    REGISTRIES_MANAGE = "registries.manage"
    PLUGINS_VIEW = "plugins.view"
    PLUGINS_MANAGE = "plugins.manage"  # a plugin runs as root on its host, beside the engine
    SWARM_VIEW = "swarm.view"  # swarms and their nodes
    SWARM_OPERATE = "swarm.operate"  # nodes: drain, pause, labels, remove
    SWARM_MANAGE = "swarm.manage"  # which hosts are in which swarm, with its tokens and keys
    SERVICES_VIEW = "services.view"  # and their tasks, and stacks
    SERVICES_MANAGE = "services.manage"
    SECRETS_VIEW = "secrets.view"  # their names; nobody sees their values
    SECRETS_MANAGE = "secrets.manage"
    CONFIGS_VIEW = "configs.view"
    CONFIGS_REVEAL = "configs.reveal"  # what is in them
    CONFIGS_MANAGE = "configs.manage"
    SYSTEM_PRUNE = "system.prune"
    LOGS_VIEW = "logs.view"
    STATS_VIEW = "stats.view"
    JOBS_VIEW = "jobs.view"
    JOBS_MANAGE = "jobs.manage"
    EVENTS_VIEW = "events.view"
    USERS_MANAGE = "users.manage"
    AUDIT_READ = "audit.read"  # what everybody did, and from where
    DIAGNOSTICS = "diagnostics"


class Role(models.TextChoices):
    """The built-in roles."""

    ADMIN = "admin", _("Administrator")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")


class System:
    """The installation itself: its command line and its first start. Who can run these owns it anyway."""

    is_authenticated = is_active = True
    role: str = Role.ADMIN
    username = "system"


SYSTEM = System()
ALL = frozenset(Right) - {Right.PUBLIC, Right.LOGIN}
OF_HOSTS = frozenset({Right.HOSTS_MANAGE, Right.PLUGINS_MANAGE, Right.SWARM_MANAGE})  # what makes somebody root there
RIGHTS_OF: dict[str, frozenset[Right]] = {
    Role.ADMIN: ALL,
    Role.OPERATOR: ALL - OF_HOSTS - {Right.USERS_MANAGE, Right.AUDIT_READ, Right.DIAGNOSTICS},
    Role.VIEWER: frozenset(right for right in ALL if right.endswith(".view")),
}


def allows(user: "User | AnonymousUser | System | None", right: Right) -> bool:
    """Whether `user` meets the rule `right`; a disabled account meets none but PUBLIC."""
    if right is Right.PUBLIC:
        return True
    if user is None or not user.is_authenticated or not user.is_active:
        return False
    if getattr(user, "lacks_second_factor", False):
        return False
    narrowed = getattr(user, "narrowed", None)  # by the token they came with
    if narrowed is not None and right not in narrowed:
        return right is Right.LOGIN
    return right is Right.LOGIN or right in RIGHTS_OF.get(user.role, frozenset())


def rights_of(user: "User | AnonymousUser | System | None") -> frozenset[Right]:
    """All that `user` may do: what looks the same to two people with the same rights may be made once for both."""
    return frozenset(right for right in Right if allows(user, right))
