"""Pages and acts that Ctrl K offers by their name, on nothing in particular."""

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right


@dataclass(frozen=True)
class Entry:
    """One line. `how`: "" a link, "ask" a dialog, "post" an act at once, "sure" an act after a question, which says who
    leans on `affected` (HOST/ID). With `action` (and `value`, NAME=VALUE of a field) a link stands for the form of that
    action on its page, which is sent from here, after the question that the form asks."""

    icon: str
    words: str
    url: str
    detail: str = ""
    state: str = ""
    how: str = ""
    affected: str = ""
    action: str = ""
    value: str = ""


class Place(NamedTuple):
    """Who may go there, and what it is called. `how` as in Entry."""

    right: Right
    icon: str
    words: str | Promise
    page: str
    how: str = ""


PLACES = (
    Place(Right.LOGIN, "layout-dashboard", _("Overview"), "overview"),
    Place(Right.CONTAINERS_VIEW, "box", _("Containers"), "container_list"),
    Place(Right.IMAGES_VIEW, "photo", _("Images"), "image_list"),
    Place(Right.NETWORKS_VIEW, "network", _("Networks"), "network_list"),
    Place(Right.VOLUMES_VIEW, "database", _("Volumes"), "volume_list"),
    Place(Right.BACKUPS_VIEW, "archive", _("Backups"), "backup_list"),
    Place(Right.BACKUPS_VIEW, "archive", _("Destinations"), "destination_list"),
    Place(Right.PLUGINS_VIEW, "plug", _("Plugins"), "plugin_list"),
    Place(Right.REGISTRIES_VIEW, "cloud-download", _("Registries"), "registry_list"),
    Place(Right.SERVICES_VIEW, "stack-2", _("Services"), "service_list"),
    Place(Right.SERVICES_VIEW, "circle-dashed", _("Tasks"), "task_list"),
    Place(Right.SERVICES_VIEW, "stack-2", _("Stacks"), "stack_list"),
    Place(Right.SWARM_VIEW, "hexagons", _("Swarms"), "swarm_list"),
    Place(Right.SWARM_VIEW, "server-2", _("Nodes"), "node_list"),
    Place(Right.SECRETS_VIEW, "key", _("Secrets"), "secret_list"),
    Place(Right.CONFIGS_VIEW, "file-text", _("Configs"), "config_list"),
    Place(Right.HOSTS_VIEW, "database", _("Disk"), "disk_page"),
    Place(Right.HOSTS_VIEW, "server", _("Hosts"), "host_list"),
    Place(Right.HOSTS_VIEW, "shield-check", _("Policies"), "policy_list"),
    Place(Right.LOGIN, "gauge", _("Quotas"), "quota_list"),
    Place(Right.JOBS_VIEW, "circle-dashed", _("Jobs"), "job_list"),
    Place(Right.JOBS_VIEW, "clock", _("Schedules"), "schedule_list"),
    Place(Right.EVENTS_VIEW, "activity", _("Events"), "event_list"),
    Place(Right.LOGS_VIEW, "file-text", _("Logs"), "log_page"),
    Place(Right.USERS_MANAGE, "users", _("Users"), "user_list"),
    Place(Right.USERS_MANAGE, "users", _("Teams"), "team_list"),
    Place(Right.USERS_MANAGE, "key", _("Roles"), "role_list"),
    Place(Right.LOGIN, "help", _("What I may do"), "my_access"),
    Place(Right.AUDIT_READ, "shield-lock", _("Audit"), "audit_list"),
    Place(Right.AUDIT_READ, "player-play", _("Recorded terminals"), "recording_list"),
    Place(Right.USERS_MANAGE, "send", _("Forwarding"), "forward_list"),
    Place(Right.DIAGNOSTICS, "heartbeat", _("Diagnostics"), "diagnostics"),
    Place(Right.LOGIN, "plug-connected", _("New API token"), "own_token_add"),
    Place(Right.LOGIN, "plug-connected", _("API tokens"), "own_tokens"),
    Place(Right.LOGIN, "devices", _("Sessions"), "own_sessions"),
    Place(Right.LOGIN, "key", _("Change password"), "account_change_password"),
    # ---------------------------------------------------------------- acts
    Place(Right.HOSTS_MANAGE, "plus", _("Add host"), "host_add"),
    Place(Right.HOSTS_MANAGE, "plus", _("New policy"), "policy_add"),
    Place(Right.USERS_MANAGE, "plus", _("Add target of the audit"), "forward_add"),
    Place(Right.USERS_MANAGE, "user-plus", _("Add user"), "user_add"),
    Place(Right.USERS_MANAGE, "plus", _("New team"), "team_add"),
    Place(Right.USERS_MANAGE, "plus", _("New role"), "role_add"),
    Place(Right.CONTAINERS_CREATE, "plus", _("New container"), "container_create"),
    Place(Right.CONTAINERS_OPERATE, "trash", _("Prune containers"), "container_prune"),
    Place(Right.IMAGES_MANAGE, "cloud-download", _("Pull an image"), "image_pull", "ask"),
    Place(Right.IMAGES_MANAGE, "plus", _("Build an image"), "image_build"),
    Place(Right.IMAGES_MANAGE, "plus", _("Load images from a file"), "image_load"),
    Place(Right.IMAGES_MANAGE, "trash", _("Prune images"), "image_prune", "ask"),
    Place(Right.NETWORKS_MANAGE, "plus", _("New network"), "network_create"),
    Place(Right.NETWORKS_MANAGE, "trash", _("Prune networks"), "network_prune"),
    Place(Right.VOLUMES_MANAGE, "plus", _("New volume"), "volume_create"),
    Place(Right.VOLUMES_MANAGE, "plus", _("Restore a volume from a file"), "volume_restore"),
    Place(Right.VOLUMES_MANAGE, "trash", _("Prune volumes"), "volume_prune"),
    Place(Right.BACKUPS_PLACES, "plus", _("Add a destination for backups"), "destination_add"),
    Place(Right.REGISTRIES_MANAGE, "plus", _("Add registry"), "registry_add"),
    Place(Right.PLUGINS_MANAGE, "plus", _("Install a plugin"), "plugin_install"),
    Place(Right.PLUGINS_MANAGE, "plus", _("Make a plugin of a tar"), "plugin_create"),
    Place(Right.SERVICES_MANAGE, "plus", _("New service"), "service_create"),
    Place(Right.SECRETS_MANAGE, "plus", _("New secret"), "secret_create"),
    Place(Right.CONFIGS_MANAGE, "plus", _("New config"), "config_create"),
    Place(Right.SWARM_MANAGE, "plus", _("New swarm"), "swarm_init"),
    Place(Right.SWARM_MANAGE, "login", _("Let a host join a swarm"), "swarm_join"),
)
