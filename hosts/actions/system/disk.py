"""What a host's objects take on its disk: asked of the engine by a job, which may take minutes."""

import time
from typing import Any

from django.utils.translation import gettext as _

from accounts.rights import Right
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.asking import Asking
from hosts.engine import disk
from hosts.engine.errors import EngineError
from hosts.inventory import apply
from hosts.models import Host
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

AGAIN_SECONDS = 1.0  # while the engine counts already, for the watcher
BUSY_SECONDS = 1800.0


def start_measure(actor: Any, host: Host) -> Job:
    """Starts a job that measures the disk use of a host anew."""
    demand(actor, Right.HOSTS_VIEW, host)
    demand(actor, Right.CONTAINERS_VIEW, host)  # what comes out are sums of all on it
    params = {"host": host.name}
    return queue.start(actor, "disk.measure", host=host.name, params=params, locks=[lock(host.name, "disk", "measure")])


def run_measure(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, began = host_of(context), time.monotonic()
    with recorded(context.job.by, Right.HOSTS_VIEW, host, "disk.measure", host.name):
        context.progress(0, _("%(host)s counts. On a large host that takes minutes.") % {"host": host.name}, now=True)
        found = _measure(context, host)
    context.log(_("It took %(seconds)s seconds.") % {"seconds": round(time.monotonic() - began, 1)})
    return {**found["use"], **{f"{kind}_free": size for kind, size in found["free"].items()}}


def _measure(context: JobContext, host: Host) -> disk.Reading:
    """Asks, and stores what was found. Raises EngineError, and Cancelled."""
    asker, until = Asking(host, context), time.monotonic() + BUSY_SECONDS
    version, answer = disk.version_for(asker.version), None
    while True:
        began = time.monotonic()
        try:
            answer = asker.ask("GET", disk.PATH, version=version, seconds=disk.SECONDS, at_most=disk.ANSWER_AT_MOST)
            break
        except EngineError as error:
            if not disk.is_busy(error) or began > until:
                apply.apply_disk_failed(host, error)
                raise
        context.pause(AGAIN_SECONDS)
    found = disk.reading(answer)
    apply.apply_disk(host, found, time.monotonic() - began)
    return found
