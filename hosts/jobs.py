"""The kinds of jobs that work on engines, and Celery's doors of this app."""

import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from jobs.kinds import HOUR, add_kind

ROLL_UP_SECONDS = 10.0


def add_kinds() -> None:
    """Called when the apps are ready."""
    from hosts import job_times, short_kinds
    from hosts.actions.containers import bulk, commits, file_uploads
    from hosts.actions.images import (
        image_builds,
        image_copies,
        image_files,
        image_names,
        image_pushes,
        images,
    )
    from hosts.actions.plugins import plugin_moves, plugins
    from hosts.job_pages import links_of
    from jobs.links import set_finder

    set_finder(links_of)
    add_kind("image.pull", _("Pull image"), Right.IMAGES_MANAGE, images.run_pull, seconds=12 * HOUR)
    add_kind("image.push", _("Push image"), Right.IMAGES_MANAGE, image_pushes.run_push, seconds=12 * HOUR)
    add_kind("image.prune", _("Prune images"), Right.IMAGES_MANAGE, images.run_prune)
    add_kind(
        "container.commit", _("Save container as image"), Right.IMAGES_MANAGE, commits.run_commit, seconds=3 * HOUR
    )
    _add_prune_kinds()
    add_kind(
        "image.build",
        _("Build image"),
        Right.IMAGES_MANAGE,
        image_builds.run_build,
        seconds=image_builds.BUILD_HOURS * HOUR,
        uploads=lambda params: [key for _name, key in params["files"]],
    )
    add_kind("image.copy", _("Copy image"), Right.IMAGES_MANAGE, image_copies.run_copy, seconds=12 * HOUR)
    add_kind(
        "image.load",
        _("Load images"),
        Right.IMAGES_MANAGE,
        image_files.run_load,
        seconds=3 * HOUR,
        uploads=_one_upload,
    )
    add_kind(
        "image.import",
        _("Import image"),
        Right.IMAGES_MANAGE,
        image_files.run_import,
        seconds=3 * HOUR,
        uploads=_one_upload,
    )
    add_kind("image.remove", _("Remove image"), Right.IMAGES_MANAGE, image_names.run_remove, once=job_times.GONE)
    title = _("Upload files")
    add_kind(
        "files.upload",
        title,
        Right.CONTAINERS_FILES,
        file_uploads.run_upload,
        seconds=12 * HOUR,
        uploads=lambda params: [key for key, _name, _size in params["files"]],
    )
    manage = Right.PLUGINS_MANAGE
    add_kind("plugin.look", _("Look what a plugin asks for"), manage, plugins.run_look, repeatable=False)
    title = _("Create plugin")
    create = plugin_moves.run_create
    add_kind("plugin.create", title, manage, create, seconds=HOUR, uploads=_one_upload)
    add_kind("plugin.push", _("Push plugin"), manage, plugin_moves.run_push, seconds=2 * HOUR)
    add_kind("plugin.install", _("Install plugin"), manage, plugins.run_install, seconds=2 * HOUR, once=job_times.TAKEN)
    add_kind("plugin.upgrade", _("Upgrade plugin"), manage, plugins.run_upgrade, seconds=2 * HOUR)
    add_kind("plugin.enable", _("Enable plugin"), manage, plugins.run_switch)
    add_kind("plugin.disable", _("Disable plugin"), manage, plugins.run_switch)
    add_kind("containers.bulk", _("Act on containers"), Right.CONTAINERS_OPERATE, bulk.run_bulk, once=job_times.bulk)
    _add_making_kinds()
    _add_volume_kinds()
    _add_backup_kinds()
    _add_service_kinds()
    _add_swarm_kinds()
    short_kinds.add_kinds()


def _one_upload(params: dict[str, Any]) -> list[str]:
    return [params["upload"]]


def _add_making_kinds() -> None:
    from hosts import job_times
    from hosts.actions.containers import create, recreate

    make = Right.CONTAINERS_CREATE
    add_kind(
        "container.create", _("Create container"), make, create.run_create, seconds=12 * HOUR, once=job_times.created
    )
    add_kind(
        "container.recreate",
        _("Recreate container"),
        make,
        recreate.run_recreate,
        seconds=12 * HOUR,
        once=job_times.recreated,
    )
    add_kind(
        "container.put_back",
        _("Put container back"),
        Right.CONTAINERS_OPERATE,
        recreate.run_put_back,
        once=job_times.CUT_SHORT,
    )


def _add_prune_kinds() -> None:
    from hosts import prune_rules as rules
    from hosts.actions.images import image_prune

    add_kind(
        "container.prune",
        _("Prune containers"),
        Right.CONTAINERS_OPERATE,
        rules.run_containers,
        rule=rules.of_containers,
    )
    shown, images = image_prune.run_prune_of, Right.IMAGES_MANAGE
    add_kind("image.prune_shown", _("Prune images"), images, shown, rule=rules.of_images)
    networks = Right.NETWORKS_MANAGE
    add_kind("network.prune", _("Prune networks"), networks, rules.run_networks, rule=rules.of_networks)
    hours, volumes = 6 * HOUR, Right.VOLUMES_MANAGE
    add_kind("volume.remove", _("Remove volumes"), volumes, rules.run_volumes, seconds=hours, rule=rules.of_volumes)
    hours, system = 12 * HOUR, Right.SYSTEM_PRUNE
    add_kind("system.prune", _("Prune a host"), system, rules.run_system, seconds=hours, rule=rules.of_system)


def _add_volume_kinds() -> None:
    from hosts import job_times
    from hosts.actions.system import disk
    from hosts.actions.volumes import volume_copies

    manage = Right.VOLUMES_MANAGE
    add_kind("volume.copy", _("Copy volume"), manage, volume_copies.run_copy, seconds=24 * HOUR, once=job_times.TAKEN)
    add_kind("disk.measure", _("Measure disk use"), Right.HOSTS_VIEW, disk.run_measure, seconds=2 * HOUR)


def _add_backup_kinds() -> None:
    from hosts import job_times
    from hosts.actions.backups import kept, making, restoring

    manage, volumes = Right.BACKUPS_MANAGE, Right.VOLUMES_MANAGE
    add_kind("volume.backup", _("Back up volume"), manage, making.run_backup, seconds=24 * HOUR)
    add_kind(
        "volume.restore",
        _("Restore volume"),
        volumes,
        restoring.run_restore,
        seconds=24 * HOUR,
        once=job_times.restored,
    )
    unpack, title = restoring.run_unpack, _("Restore volume from a file")
    add_kind("volume.unpack", title, volumes, unpack, seconds=24 * HOUR, uploads=_one_upload)
    add_kind("backup.check", _("Check backup"), manage, kept.run_check, seconds=12 * HOUR)
    add_kind("backup.remove", _("Remove backups"), manage, kept.run_removal, seconds=2 * HOUR, repeatable=False)


def _add_service_kinds() -> None:
    from hosts import job_times
    from hosts.actions.swarm import services, stacks

    manage = Right.SERVICES_MANAGE
    add_kind("service.create", _("Create service"), manage, services.run_create, seconds=2 * HOUR, once=job_times.TAKEN)
    # what it was made from is gone when it has run
    add_kind("service.update", _("Change service"), manage, services.run_edit, seconds=6 * HOUR, repeatable=False)
    add_kind("service.scale", _("Scale service"), manage, services.run_scale, seconds=2 * HOUR)
    add_kind("service.redeploy", _("Redeploy service"), manage, services.run_redeploy, seconds=6 * HOUR)
    add_kind(
        "service.rollback",
        _("Roll service back"),
        manage,
        services.run_rollback,
        seconds=6 * HOUR,
        once=job_times.BACK_AND_FORTH,
    )
    add_kind("stack.remove", _("Remove stack"), manage, stacks.run_remove, repeatable=False)


def _add_swarm_kinds() -> None:
    from hosts.actions.swarm import secret_versions, swarm_hosts

    manage = Right.SWARM_MANAGE
    add_kind("swarm.init", _("Make swarm"), manage, swarm_hosts.run_init, repeatable=False)
    add_kind("swarm.join", _("Join swarm"), manage, swarm_hosts.run_join, repeatable=False)
    add_kind("swarm.leave", _("Leave swarm"), manage, swarm_hosts.run_leave, repeatable=False)
    add_kind("swarm.unlock", _("Unlock swarm"), manage, swarm_hosts.run_unlock, repeatable=False)
    for noun, title, right in (
        ("secret", _("Replace secret"), Right.SECRETS_MANAGE),
        ("config", _("Replace config"), Right.CONFIGS_MANAGE),
    ):
        add_kind(f"{noun}.replace", title, right, secret_versions.run_replace, repeatable=False)


@shared_task(name="hosts.forget_old_events", expires=600)
def forget_old_events() -> None:
    """Events are kept for EVENTS_KEPT_DAYS."""
    from hosts.inventory.apply import forget_events

    forget_events(timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS))


@shared_task(name="hosts.roll_up_stats", expires=50)
def roll_up_stats() -> None:
    """Every minute: hours that are over go into the tiers of the stats history, for a few seconds at a time."""
    from hosts.inventory import history

    history.roll_up(int(time.time()), ROLL_UP_SECONDS)


@shared_task(name="hosts.forget_old_stats", expires=600)
def forget_old_stats() -> None:
    """Each tier of the stats history is kept for as long as its setting says."""
    from hosts.inventory import history

    history.forget(int(time.time()))


@shared_task(name="hosts.forget_old_recordings", expires=600)
def forget_old_recordings() -> None:
    """Recordings of terminals are kept for RECORDINGS_KEPT_DAYS."""
    from hosts import recordings

    while recordings.forget_old():
        pass


@shared_task(name="hosts.note_sizes", expires=25)
def note_sizes() -> None:
    """SQLite plans its queries by how many rows there are."""
    from hosts.inventory import planner

    planner.note_sizes()


@shared_task(name="hosts.forward_audit", expires=5)
def forward_audit() -> None:
    """Every two seconds: targets of the audit that have not got all of it, each by a worker."""
    from hosts.forwarding import sending

    for pk in sending.due():
        forward_to.delay(pk)


@shared_task(name="hosts.forward_to", expires=30)
def forward_to(pk: int) -> None:
    """What one target has not got. A process that is killed meanwhile loses nothing."""
    from hosts.forwarding import sending

    sending.forward(pk)


@shared_task(name="hosts.put_back", expires=10)
def put_back() -> None:
    """Every few seconds: what jobs held whose worker was killed is put back, and helpers of pages that never ran go."""
    from accounts.rights import SYSTEM
    from hosts.actions.volumes import put_back as held
    from hosts.actions.volumes import volume_files

    held.put_back(SYSTEM)
    volume_files.close_old(SYSTEM)


@shared_task(name="hosts.sweep_backups", expires=50)
def sweep_backups() -> None:
    """Every minute: what is left of backups whose worker was killed goes."""
    from accounts.rights import SYSTEM
    from hosts.actions.backups import making

    making.sweep(SYSTEM)
