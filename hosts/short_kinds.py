"""The kinds of short acts: what a request waits a second for (hosts/actions/short.py)."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from hosts import options
from hosts.actions.short import SECONDS, Args, add
from hosts.engine.paths import child, shown
from hosts.job_times import GONE, LOOKED_AT_NOW, TAKEN, looked_at
from hosts.models import Config, Secret, Swarm
from jobs.kinds import HOUR
from jobs.models import lock


def add_kinds() -> None:
    """Called when the apps are ready."""
    _add_containers()
    _add_files()
    _add_objects_of_hosts()
    _add_swarms()
    _add_secrets()


def _nothing(args: Args) -> list[str]:
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


def _add_files() -> None:
    """They wait for what works on the same path, and not for what the container does: it may be stopping."""
    from hosts.actions.containers import files

    right = Right.CONTAINERS_FILES
    for kind, title, act, repeatable, once in (
        # what was typed is not kept: the file may be another by then
        ("write", _("Store file in container"), files.save, False, ""),
        ("make", _("Make file or folder in container"), files.make, True, TAKEN),
        ("rename", _("Rename file in container"), files.rename, True, GONE),
        ("chmod", _("Change mode of file in container"), files.change_mode, True, ""),
        ("delete", _("Delete file in container"), files.delete, True, GONE),
    ):
        add(
            f"files.{kind}",
            title,
            right,
            act,
            repeatable=repeatable,
            once=once,
            locks=_path_made if act is files.make else _path,
            target=_new_file if act is files.make else _file,
        )


def _path(args: Args) -> list[str]:
    container, path = args[:2]
    return [lock(container.host.name, "files", f"{container.engine_id}:{shown(options.path(path))}")]


def _path_made(args: Args) -> list[str]:
    container, folder, name = args[:3]
    return _path((container, child(folder, name)))


def _file(args: Args) -> str:
    container, path = args[:2]
    return f"{container.name}:{shown(options.path(path))}"


def _new_file(args: Args) -> str:
    container, folder, name = args[:3]
    return _file((container, child(folder, name)))


def _add_objects_of_hosts() -> None:
    from hosts.actions.images import image_names
    from hosts.actions.networks import networks
    from hosts.actions.plugins import plugins
    from hosts.actions.volumes import volume_files, volumes

    # waits for nothing: files are looked at while a backup reads them
    add(
        "volume.files",
        _("Open files of volume"),
        Right.CONTAINERS_FILES,
        volume_files.open_files,
        once=LOOKED_AT_NOW,
        locks=_nothing,
    )
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


def _add_swarms() -> None:
    from hosts.actions.swarm import nodes, services, swarms

    right = Right.SWARM_MANAGE
    add("swarm.change", _("Change settings of swarm"), right, swarms.change, once=looked_at)
    add("swarm.rotate_token", _("Make new join token"), right, swarms.rotate_token)
    add("swarm.rotate_unlock_key", _("Make new unlock key"), right, swarms.rotate_unlock_key)
    add("node.role", _("Change role of node"), right, nodes.set_role)
    right = Right.SWARM_OPERATE
    add("node.change", _("Change node"), right, nodes.change, once=looked_at)
    add("node.remove", _("Remove node"), right, nodes.remove, once=GONE)
    # waits for nothing: it is what one reaches for when a change of the service never comes to its end
    right = Right.SERVICES_MANAGE
    add("service.remove", _("Remove service"), right, services.remove, once=GONE, locks=_nothing)


def _add_secrets() -> None:
    from hosts.actions.swarm import secrets

    titles = {
        "secret": (_("Make secret"), _("Change labels of secret"), _("Remove secret")),
        "config": (_("Make config"), _("Change labels of config"), _("Remove config")),
    }
    for noun, (create, labels, remove) in titles.items():
        right, of_noun = secrets.MANAGE[noun], _of(noun)
        add(
            f"{noun}.create",
            create,
            right,
            secrets.create,
            repeatable=False,  # its value is not kept
            locks=lambda args: [lock(args[0].name, args[1], args[2])],
            target=lambda args: f"{args[0].name}/{args[2]}",
            when=of_noun,
        )
        add(f"{noun}.labels", labels, right, secrets.set_labels, once=looked_at, when=of_noun)
        add(f"{noun}.remove", remove, right, secrets.remove, once=GONE, when=of_noun)


def _of(noun: str) -> Callable[[Args], bool]:
    """Of a row of that noun, or, of a swarm, what is to be made in it."""

    def when(args: Args) -> bool:
        first: Swarm | Secret | Config = args[0]
        return bool(args[1] == noun) if isinstance(first, Swarm) else first.noun == noun

    return when
