"""What jobs about volumes hold while they run: containers that are stopped, volumes that are half filled, helpers.

Each is a row (hosts.models.Hold) before the engine is asked for it, and is put back at the end of the block, whatever that
is; when the worker is killed, by hosts.actions.volumes.put_back.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import SYSTEM, Right
from common.errors import Conflict, Failure
from hosts.access import may
from hosts.actions import policing
from hosts.actions.act import calling, recorded
from hosts.actions.asking import Asking
from hosts.actions.volumes.put_back import settle
from hosts.actions.volumes.volume_removals import VolumeAsker
from hosts.belonging import is_by_team, labels_for, name_for, place_of
from hosts.engine import answers, image_files, parse, volume_archives, volume_helpers
from hosts.engine.targets import Target
from hosts.engine.tars import Part, blocks_of
from hosts.engine.volume_helpers import Helper
from hosts.helper_images import likely_shells
from hosts.inventory import apply
from hosts.models import Container, Hold, Host
from hosts.models.holds import HoldKind
from hosts.models.owners import TEAM_LABEL
from hosts.owning import Corner, check_made, is_limited
from hosts.quotas.allotting import allotted
from hosts.quotas.amounts import Amount
from jobs.run import JobContext

MAKE_SECONDS = 60.0
RUN_SECONDS = 2 * 24 * 3600  # a helper that runs: longer than any job
STOP_SECONDS = 10  # an engine gives a container that says nothing else
MORE_SECONDS = 60.0  # for the engine, after the container's own time
RUNNING = {"running", "restarting"}  # a paused one writes nothing
THERE = gettext_noop("There is a volume called %(name)s on %(host)s already.")
NOT_YOURS = gettext_noop("Containers run and use %(volume)s that are not your team's: they are not stopped.")
HELPER_IMAGE = "dermaga/helper"  # of nothing, for engines without any image


def _held(context: JobContext, host: Host, kind: HoldKind, ref: str, name: str) -> Hold:
    return Hold.objects.create(job=context.job, host=host, kind=kind, ref=ref, name=name)


@contextmanager
def _asked(hold: Hold) -> Iterator[None]:
    """Around the request: what the engine has done is sure, and what it has refused to do is not held."""
    try:
        yield
    except answers.Answered:
        hold.delete()
        raise
    hold.sure = True
    hold.save(update_fields=["sure"])


# ---------------------------------------------------------------- containers that use a volume
class _User(NamedTuple):
    engine_id: str
    name: str
    seconds: int  # that it may take to stop
    place: Host | Container  # what the right to stop it is asked of


@contextmanager
def stopped_users(context: JobContext, host: Host, volume: str) -> Iterator[list[str]]:
    """Stops the running containers that use the volume, gives their names, and starts them again after the block.

    Refused before anything is stopped: to who may not operate them all, and for a container that would not come back.
    """
    asker = VolumeAsker(host, context)
    users = _running_users(asker, volume, context)
    held: list[Hold] = []
    try:
        for user in users:
            context.progress(0, _("Stopping %(name)s") % {"name": user.name}, now=True)
            held.append(_held(context, host, HoldKind.CONTAINER, user.engine_id, user.name))
            if _stop(context, asker, user, held[-1]):
                context.log(_("Stopped %(name)s.") % {"name": user.name})
        context.check_cancelled()
        yield [hold.name for hold in held if hold.pk]
    finally:
        for hold in reversed(held):  # what was started last may need what was started before it
            settle(context, hold)


def _running_users(asker: VolumeAsker, volume: str, context: JobContext) -> list[_User]:
    """Raises Conflict for one that cannot be stopped and started again, or that is not the team's whose member asks."""
    job, host = context.job, asker.host
    found = []
    for entry in asker.users(volume):
        labels = parse.labels_of(entry.get("Labels"))
        if entry.get("State") not in RUNNING or volume_helpers.is_helper(entry):
            continue
        inspect = asker.ask("GET", f"/containers/{entry['Id']}/json") or {}
        key = str(entry["Id"])
        row = Container.objects.select_related("host").filter(host=host, engine_id=key).first()
        name = name_for(job, host, key, str(inspect.get("Name") or "").strip("/"))
        if is_limited(job.by, Right.CONTAINERS_OPERATE, host) and not (
            row and may(job.by, Right.CONTAINERS_OPERATE, row)
        ):
            raise Conflict(NOT_YOURS, {"volume": volume})
        if (inspect.get("HostConfig") or {}).get("AutoRemove"):
            words = gettext_noop(
                "%(name)s uses the volume, and its engine removes it when it is stopped (--rm). Stop it yourself first."
            )
            raise Conflict(words, {"name": name})
        if labels.get("com.docker.swarm.task.id"):
            words = gettext_noop(
                "%(name)s uses the volume and belongs to a service, so that Swarm would start another one in its place. "
                "Scale the service to 0 first."
            )
            raise Conflict(words, {"name": name})
        seconds = (inspect.get("Config") or {}).get("StopTimeout")
        found.append(_User(key, name, int(STOP_SECONDS if seconds is None else seconds), row or host))
    return found


def _stop(context: JobContext, asker: VolumeAsker, user: _User, hold: Hold) -> bool:
    """Whether it was running. What fails in the middle leaves it unsure."""
    detail = {"job": context.job.pk}
    with recorded(context.job.by, Right.CONTAINERS_OPERATE, user.place, "container.stop", user.name, detail=detail):
        try:
            asker.ask("POST", f"/containers/{user.engine_id}/stop", seconds=user.seconds + MORE_SECONDS)
        except (answers.Conflict, answers.NotFound):  # it has ended by itself meanwhile
            hold.delete()
            return False
    hold.sure = True
    hold.save(update_fields=["sure"])
    return True


# ---------------------------------------------------------------- volumes
@contextmanager
def filling(
    context: JobContext,
    host: Host,
    name: str,
    *,
    labels: Mapping[str, str],
    driver: str = "local",
    options: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """A new volume of the team that the job is for, which is removed unless the block ends well. Raises Conflict when there
    is one of that name, Invalid when it will be another team's, and what quota and policy refuse."""
    asker, job = VolumeAsker(host, context), context.job
    labels = labels_for(labels, job.team_id)
    corner, told = Corner(host, job.team_id), {"name": name, "host": host.name}
    with recorded(job.by, Right.VOLUMES_MANAGE, corner, "volume.fill", name, detail={"job": job.pk}):
        if asker.volume(name) is not None:
            raise Conflict(THERE, told)
        if is_by_team(job, host):
            check_made(host, "volume", name, job.team_id, "volume")
        with allotted(job.team_id, host, Amount(volumes=1)):
            hold = _held(context, host, HoldKind.VOLUME, name, name)
            try:
                body = {"Name": name, "Driver": driver, "DriverOpts": dict(options or {}), "Labels": labels}
                with _asked(hold):
                    made = asker.ask("POST", "/volumes/create", body=body, seconds=MAKE_SECONDS) or {}
                if TEAM_LABEL in labels and parse.labels_of(made.get("Labels")) != parse.labels_of(labels):
                    hold.delete()  # somebody made it meanwhile, and an engine gives that one back
                    raise Conflict(THERE, told)
                _show(asker, name)
            except BaseException:
                settle(context, hold)
                raise
        try:
            yield
        except BaseException:
            settle(context, hold)
            raise
        hold.delete()
    _show(asker, name)


def _show(asker: VolumeAsker, name: str) -> None:
    """Puts it into the table, which says whose it is."""
    if row := parse.volume_row(asker.volume(name) or {}):
        apply.apply_rows(asker.host, "volume", [row], only={name})


# ---------------------------------------------------------------- helpers
@contextmanager
def helper(context: JobContext, host: Host, volume: str, *, read_only: bool = False) -> Iterator[Helper]:
    """A container with the volume at hosts.engine.volume_helpers.PLACE, for hosts.engine.volume_archives."""
    with ExitStack() as stack:
        if host.engine == "Podman":
            yield _running_helper(context, host, volume, read_only, stack)
        else:
            image = stack.enter_context(_an_image(context, host, volume))
            yield stack.enter_context(_made(context, host, volume, image, read_only=read_only))


@contextmanager
def running_helper(context: JobContext, host: Host, volume: str) -> Iterator[Helper]:
    """One that runs, whatever the engine: for programs of its image."""
    with ExitStack() as stack:
        yield _running_helper(context, host, volume, False, stack)


def _running_helper(context: JobContext, host: Host, volume: str, read_only: bool, stack: ExitStack) -> Helper:
    """Of the first image that has what it needs; for a team, of one that it sees: others' programs do not touch its files."""
    who = context.job.by if is_by_team(context.job, host) else SYSTEM
    for image in likely_shells(who, host, volume):
        try:
            with ExitStack() as this:
                made = this.enter_context(_made(context, host, volume, image, read_only=read_only, runs=RUN_SECONDS))
                if volume_archives.has_programs(made.target):
                    stack.push(this.pop_all())
                    return made
        except Failure as error:
            if not isinstance(error.__cause__, answers.Answered):
                raise
    if host.engine != "Podman":
        needs = gettext_noop(
            "No image of %(host)s has a shell and tar, which are needed. Pull a small image like busybox."
        )
        raise Failure("no_shell", 409, needs, {"host": host.name})
    words = gettext_noop(
        "%(host)s runs Podman, whose archives do not tell owners of files: they are read by tar in a helper container, and "
        "no image there has it. Pull a small one that does, such as busybox, and start this again."
    )
    raise Failure("no_tar", 409, words, {"host": host.name})


@contextmanager
def _made(
    context: JobContext, host: Host, volume: str, image: str, *, read_only: bool, runs: int = 0
) -> Iterator[Helper]:
    policing.allow_content(context.job.by, host, volume, Asking(host, context))
    place = place_of(context.job, host, volume)
    version, name, seconds = host.spoken_version, volume_helpers.new_name(), MAKE_SECONDS
    hold = _held(context, host, HoldKind.HELPER, name, name)
    try:
        with calling(context, Right.VOLUMES_MANAGE, place, "volume.open", volume=volume) as call, _asked(hold):
            made = volume_helpers.make(
                call, volume, image, version=version, name=name, read_only=read_only, runs=runs, seconds=seconds
            )
        if runs:
            with calling(context, Right.VOLUMES_MANAGE, place, "volume.open", volume=volume) as call:
                volume_helpers.start(call, made, version=version, seconds=seconds)
        yield Helper(Target(host.endpoint(), made, version, host.name), runs=bool(runs))
    finally:
        settle(context, hold)


@contextmanager
def _an_image(context: JobContext, host: Host, volume: str) -> Iterator[str]:
    """Any image of the engine; where it has none, one of nothing that goes after the block."""
    found: list[dict[str, Any]] = VolumeAsker(host, context).ask("GET", "/images/json") or []
    others = [image for image in found if HELPER_IMAGE not in " ".join(image.get("RepoTags") or [])]
    if others:
        yield str(min(others, key=lambda image: int(image.get("Size") or 0)).get("Id"))
        return
    tag = secrets.token_hex(6)
    hold = _held(context, host, HoldKind.IMAGE, f"{HELPER_IMAGE}:{tag}", f"{HELPER_IMAGE}:{tag}")
    try:
        tar = blocks_of([Part(volume_helpers.PLACE.strip("/"), "folder", mode=0o755)])
        place = place_of(context.job, host, volume)
        with calling(context, Right.VOLUMES_MANAGE, place, "image.import") as call, _asked(hold):
            version = host.spoken_version
            image_files.import_(call, tar, repo=HELPER_IMAGE, tag=tag, message="", changes=[], version=version)
        yield hold.ref
    finally:
        settle(context, hold)
