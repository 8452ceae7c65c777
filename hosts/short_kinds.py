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
