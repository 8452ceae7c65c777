"""The kinds of short acts: what a request waits a second for (hosts/actions/short.py)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from hosts.actions.short import SECONDS, add
from hosts.job_times import GONE, TAKEN
from jobs.kinds import HOUR


def add_kinds() -> None:
    """Called when the apps are ready."""
    _add_containers()
    _add_objects_of_hosts()


def _nothing(args: tuple[Any, ...]) -> list[str]:
    return []


def _add_containers() -> None:
    from hosts.actions.containers import container_updates, containers

    operate = Right.CONTAINERS_OPERATE
    for kind, title, act, seconds in (
        ("start", _("Start container"), containers.start, SECONDS),
        ("stop", _("Stop container"), containers.stop, HOUR),
        ("restart", _("Restart container"), containers.restart, HOUR),
        ("pause", _("Pause container"), containers.pause, SECONDS),
        ("unpause", _("Let container go on"), containers.unpause, SECONDS),
    ):
        add(f"container.{kind}", title, operate, act, seconds=seconds)
    # waits for nothing: it is what one reaches for when a stop hangs
    add("container.kill", _("Send a signal to container"), operate, containers.kill, locks=_nothing)
    add("container.rename", _("Rename container"), operate, containers.rename, once=TAKEN)
    add("container.remove", _("Remove container"), operate, containers.remove, once=GONE)
    add("container.update", _("Change limits of container"), operate, container_updates.update)


def _add_objects_of_hosts() -> None:
    from hosts.actions.images import image_names
    from hosts.actions.networks import networks
    from hosts.actions.plugins import plugins
    from hosts.actions.volumes import volumes

    right = Right.VOLUMES_MANAGE
    add("volume.create", _("Make volume"), right, volumes.create, once=TAKEN)
    add("volume.delete", _("Remove volume"), right, volumes.remove, once=GONE)  # volume.remove: several, a long job
    right = Right.NETWORKS_MANAGE
    add("network.create", _("Make network"), right, networks.create, once=TAKEN)
    add("network.connect", _("Connect container to network"), right, networks.connect, once=TAKEN)
    add("network.disconnect", _("Disconnect container from network"), right, networks.disconnect, once=GONE)
    add("network.remove", _("Remove network"), right, networks.remove, once=GONE)
    right = Right.IMAGES_MANAGE
    add("image.tag", _("Tag image"), right, image_names.tag)
    add("image.untag", _("Take a name from image"), right, image_names.untag, once=GONE)
    right = Right.PLUGINS_MANAGE
    add("plugin.configure", _("Configure plugin"), right, plugins.configure)
    add("plugin.delete", _("Remove plugin"), right, plugins.remove, once=GONE)
