"""Creating a container from its specification, as a job."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure
from hosts import logins
from hosts.actions import policing
from hosts.actions.act import demand, recorded
from hosts.actions.containers.making import Making
from hosts.models import Host
from hosts.owning import Corner, check_uses, claimed
from hosts.quotas.allotting import with_defaults
from hosts.quotas.requests import check_now
from hosts.specs.body import to_engine
from hosts.specs.check import check
from hosts.specs.spec import ContainerSpec, from_json, to_json
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext


def start_create(
    actor: Any, host: Host, spec: ContainerSpec, *, start: bool = True, account: str | int | None = None
) -> Job:
    """Starts the job. `account` is who logs in when the image is pulled, as in `logins.choose`. Raises Invalid for a
    wrong field, and for one that this engine is too old for."""
    labels, corner = claimed(actor, Right.CONTAINERS_CREATE, host, spec.labels, "container", spec.name)
    demand(actor, Right.CONTAINERS_CREATE, corner)
    spec = check_uses(actor, corner, with_defaults(replace(spec, labels=labels), corner.owner_id, host))
    check(spec)
    request, target = to_engine(spec, host.spoken_version), spec.name or spec.image
    allowed = policing.creation_check(actor, host, request)
    policing.allow_now(actor, host, "container.create", target, allowed)
    check_now(actor, host, corner.owner_id, request.body, "container.create", target)
    return queue.start(
        actor,
        "container.create",
        host=host.name,
        team=corner.owner_id,
        target=target,
        params={
            "host": host.name,
            "name": spec.name,
            "image": spec.image,
            "start": start,
            "account": logins.choose(actor, spec.image, account, team=corner.owner_id),
        },
        # whole: secrets are in the environment, in log options, in a volume's options, in commands
        sealed={"spec": to_json(spec)},
        locks=[lock(host.name, "container", spec.name)] if spec.name else [],
    )


def run_create(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: pull if that is wanted, create, connect, start. What fails is taken back."""
    host = Host.objects.filter(name=context.params["host"]).first()
    if host is None:
        raise Failure("no_host", 404, gettext_noop("The host %(host)s is gone."), {"host": context.params["host"]})
    making = Making(context, host, from_json(context.sealed["spec"]))
    detail = {"image": making.spec.image, "job": context.job.pk}
    corner = Corner(host, context.job.team_id)
    with recorded(
        context.job.by, Right.CONTAINERS_CREATE, corner, "container.create", context.job.target, detail=detail
    ):
        check_uses(context.job.by, corner, making.spec)  # it may have waited
        making.provide_image()
        with making.taken_back():
            making.create()
            if context.params["start"]:
                making.start()
        answer = making.undoing.container(making.id) or {}  # one that removes itself may be gone already
    return {"id": making.id, "name": str(answer.get("Name") or making.spec.name).removeprefix("/")}
