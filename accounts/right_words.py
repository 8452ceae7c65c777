"""What each right is called on pages."""

from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import ALL, Right, Role

WORDS: dict[Right, str | Promise] = {
    Right.HOSTS_VIEW: _("see hosts and their disk use"),
    Right.HOSTS_MANAGE: _("enable and disable hosts; on all hosts: add, change and remove them"),
    Right.CONTAINERS_VIEW: _("see containers, without the values of their environment"),
    Right.CONTAINERS_CREATE: _("create containers and make them anew"),
    Right.CONTAINERS_OPERATE: _("start, stop, restart, kill, pause, rename, update and remove containers"),
    Right.CONTAINERS_REVEAL: _("see the values of their environment, and their whole specification"),
    Right.CONTAINERS_TERMINAL: _("run commands in containers"),
    Right.CONTAINERS_FILES: _("read and change files in containers and volumes"),
    Right.IMAGES_VIEW: _("see images"),
    Right.IMAGES_MANAGE: _("pull, build, push, tag, copy and remove images"),
    Right.NETWORKS_VIEW: _("see networks"),
    Right.NETWORKS_MANAGE: _("create, connect and remove networks"),
    Right.VOLUMES_VIEW: _("see volumes"),
    Right.VOLUMES_MANAGE: _("create, copy and remove volumes"),
    Right.BACKUPS_VIEW: _("see backups"),
    Right.BACKUPS_MANAGE: _("make, download, restore and remove backups: all that is in them"),
    Right.BACKUPS_PLACES: _("say where backups may lie"),
    Right.REGISTRIES_VIEW: _("see registries and use their accounts"),
    Right.REGISTRIES_MANAGE: _("add registries and accounts, remove tags"),
    Right.PLUGINS_VIEW: _("see plugins"),
    Right.PLUGINS_MANAGE: _("install and configure plugins, which run as root on the host"),
    Right.SWARM_VIEW: _("see swarms and nodes"),
    Right.SWARM_OPERATE: _("drain and label nodes"),
    Right.SWARM_MANAGE: _("make, join and leave swarms; see their tokens and keys"),
    Right.SERVICES_VIEW: _("see services, tasks and stacks"),
    Right.SERVICES_MANAGE: _("create, change and remove services"),
    Right.SECRETS_VIEW: _("see the names of secrets"),
    Right.SECRETS_MANAGE: _("create, replace and remove secrets"),
    Right.CONFIGS_VIEW: _("see the names of configs"),
    Right.CONFIGS_REVEAL: _("see what is in configs"),
    Right.CONFIGS_MANAGE: _("create, replace and remove configs"),
    Right.SYSTEM_PRUNE: _("remove what is unused, of all kinds at once"),
    Right.LOGS_VIEW: _("read logs"),
    Right.STATS_VIEW: _("see CPU, memory and their history"),
    Right.JOBS_VIEW: _("see jobs and schedules"),
    Right.JOBS_MANAGE: _("cancel, repeat and schedule jobs"),
    Right.EVENTS_VIEW: _("see events"),
    Right.USERS_MANAGE: _("manage accounts, teams, roles and grants: and so all there is"),
    Right.AUDIT_READ: _("read the audit"),
    Right.DIAGNOSTICS: _("see how Dermaga itself is"),
}

ROLE_WORDS: dict[str, str | Promise] = {
    Role.ADMIN: _("everything"),
    Role.HOST_ADMIN: _("everything but accounts and grants, the audit, and Dermaga's own diagnostics"),
    Role.DEPLOYER: _("create, change and remove all that runs on hosts, without what makes somebody root there"),
    Role.OPERATOR: _("look at everything; start, stop and remove containers; terminals; jobs"),
    Role.VIEWER: _("look at everything but values of environments and what is in configs"),
}


def by_noun() -> list[tuple[str, list[tuple[str, str | Promise]]]]:
    """(noun, [(right, its words)]), as they are declared."""
    listed = [right for right in Right if right in ALL]
    return [
        (noun, [(str(right), WORDS[right]) for right in rights])
        for noun, rights in groupby(listed, lambda right: right.partition(".")[0])
    ]
