"""Making a container anew, with other settings or from a newer image, and putting back one that was set aside."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Denied, DermagaError, Failure, Invalid
from hosts.access import may
from hosts.actions import policing
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.asking import Asking
from hosts.actions.containers.making import Making
from hosts.actions.containers.replacing import Replacing
from hosts.engine import parse
from hosts.engine.errors import EngineError
from hosts.inventory import apply
from hosts.inventory.owners import move_word
from hosts.models import Container, Host
from hosts.owning import STAYS, Corner, check_uses, claimed, is_limited
from hosts.quotas.requests import check_now
from hosts.specs.body import to_engine
from hosts.specs.check import check
from hosts.specs.inspected import Defaults, from_inspect
from hosts.specs.replaced import (
    ASIDE,
    COMING,
    STANDS_IN,
    join,
    joins,
    keep_addresses,
    keep_volumes,
    relabel,
    volumes_of,
)
from hosts.specs.spec import ContainerSpec, from_json, to_json
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

SETTLE_SECONDS, SETTLE_AT_MOST = 5, 600
HEALTHY_WITHIN, HEALTHY_AT_MOST = 180, 3600
SWARM_TASK = "com.docker.swarm.task.id"


def start_recreate(
    actor: Any,
    container: Container,
    spec: ContainerSpec | None = None,
    *,
    start: bool | None = None,
    settle: int = SETTLE_SECONDS,
    healthy_within: int = HEALTHY_WITHIN,
) -> Job:
    """Starts a job that makes it anew from `spec`; without one from what it is, if its image's name has a newer image.

    The new one starts if `start`, or (None) if the old one runs; without a health check it has to run for `settle`
    seconds, else to be healthy within `healthy_within`. Raises Invalid for a wrong field.
    """
    demand(actor, Right.CONTAINERS_CREATE, container)
    demand(actor, Right.CONTAINERS_OPERATE, container)
    for field, value, most in (("settle", settle, SETTLE_AT_MOST), ("healthy_within", healthy_within, HEALTHY_AT_MOST)):
        if not 0 <= value <= most:
            raise Invalid(field, gettext_noop("Write a number of seconds from 0 to %(most)s."), {"most": most})
    host, team = container.host, container.owner_id
    if spec is not None:
        labels, corner = claimed(actor, Right.CONTAINERS_CREATE, host, spec.labels, "container", spec.name)
        if is_limited(actor, Right.CONTAINERS_CREATE, host) and corner.owner_id != team:
            raise Invalid("labels", STAYS)
        used = container.data.get("mounts", []) if isinstance(container.data, dict) else []
        had = {str(mount.get("name") or "") for mount in used}
        spec = check_uses(actor, corner, replace(spec, labels=labels), had)
        check(spec)
        request = to_engine(spec, host.spoken_version)
        allowed = policing.creation_check(actor, host, request)
        policing.allow_now(actor, host, "container.recreate", container.name, allowed)
        check_now(actor, host, team, request.body, "container.recreate", container.name, container)
    names = {container.name, *([spec.name] if spec and spec.name else [])}
    return queue.start(
        actor,
        "container.recreate",
        host=host.name,
        team=team,
        target=container.name,
        params={
            "host": host.name,
            "container": container.engine_id,
            "name": container.name,
            "newest": spec is None,
            "start": start,
            "settle": settle,
            "healthy_within": healthy_within,
        },
        # whole: secrets are in the environment, in log options, in a volume's options, in commands
        sealed={"spec": to_json(spec)} if spec is not None else {},
        locks=[lock(host.name, "container", name) for name in (container.engine_id, *sorted(names))],
    )


def run_recreate(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: the image first, then step by step (hosts.actions.containers.replacing)."""
    host = host_of(context)
    corner = Corner(host, context.job.team_id)
    demand(context.job.by, Right.CONTAINERS_OPERATE, corner)
    detail = {"newest": context.params["newest"], "job": context.job.pk}
    with recorded(
        context.job.by, Right.CONTAINERS_CREATE, corner, "container.recreate", context.job.target, detail=detail
    ):
        asking = Asking(host, context)
        old = _old(asking, context)
        _demand_still(context, host, old)
        _may_be_replaced(old)
        defaults = Defaults.of(asking.ask("GET", "/info") or {})
        before = from_inspect(old, asking.image(str(old.get("Image") or "")), defaults)
        newest = context.params["newest"]
        spec = replace(before, pull="always", name="") if newest else from_json(context.sealed["spec"])
        wanted = replace(spec, platform="") if newest else spec
        check_uses(context.job.by, corner, wanted, volumes_of(old))  # it may have waited
        Making(context, host, spec, is_there=newest).provide_image()
        newer = _is_newer(asking, context, old, spec)
        if newest and not newer:
            return {"newer": False, "id": old["Id"], "name": before.name}
        keep_volumes(spec, old, before)
        start = context.params["start"]
        start = bool((old.get("State") or {}).get("Running")) if start is None else start
        replacing = _replacing(context, host, old, spec, start)
        replacing.replace(lambda: _take_along(context, asking, replacing, defaults))
        move_word(host, replacing.old_name, replacing.name)
        return {"newer": newer, **replacing.outcome}


def _old(asking: Asking, context: JobContext) -> dict[str, Any]:
    """The container's inspect answer. One that was made anew since, as on a schedule, is found by its name."""
    params, job = context.params, context.job
    found = asking.container(params["container"])
    if not found and (job.schedule_id or job.again_of_id):
        found = asking.container(params["name"])
    if not isinstance(found, dict) or not found.get("Id"):
        sentence = gettext_noop("%(name)s is not on %(host)s any more.")
        raise Failure("no_container", 404, sentence, {"name": params["name"], "host": params["host"]})
    return found


def _demand_still(context: JobContext, host: Host, old: dict[str, Any]) -> None:
    """What is made anew is of the team that the job is for, if that is all that its starter may touch."""
    if is_limited(context.job.by, Right.CONTAINERS_OPERATE, host):
        row = Container.objects.select_related("host").filter(host=host, engine_id=old["Id"]).first()
        if row is None or not may(context.job.by, Right.CONTAINERS_OPERATE, row):
            raise Denied


def _may_be_replaced(old: dict[str, Any]) -> None:
    name = str(old.get("Name") or "").removeprefix("/")
    if (old.get("HostConfig") or {}).get("AutoRemove"):
        sentence = gettext_noop(
            "%(name)s removes itself when it stops: it could not be put back if the new one failed. Duplicate it, and "
            "stop it when the new one runs."
        )
        raise Conflict(sentence, {"name": name})
    if SWARM_TASK in ((old.get("Config") or {}).get("Labels") or {}):
        sentence = gettext_noop("%(name)s belongs to a service of a swarm, which makes its containers itself.")
        raise Conflict(sentence, {"name": name})
    if STANDS_IN.fullmatch(name):
        raise Conflict(gettext_noop("%(name)s was set aside. Put it back first."), {"name": name})


def _is_newer(asking: Asking, context: JobContext, old: dict[str, Any], spec: ContainerSpec) -> bool:
    """Whether the image's name means another image by now; the job's log has both."""
    found = asking.image(spec.image) or {}
    now, had = _bare(found.get("Id")), _bare(old.get("Image"))
    words = {"image": spec.image, "old": had[:12], "new": now[:12], "digest": _digest(found)}
    if not now or now == had:
        context.log(_("%(image)s is the image that the container has: %(old)s.") % words)
        return False
    context.log(_("The container has the image %(old)s; %(image)s is %(new)s now (%(digest)s).") % words)
    relabel(spec, f"sha256:{now}")
    return True


def _bare(image_id: Any) -> str:
    return str(image_id or "").removeprefix("sha256:")  # Podman leaves it out


def _digest(image: dict[str, Any]) -> str:
    digests = image.get("RepoDigests") or []
    return str(digests[0]).rpartition("@")[2][:80] if digests else _("no digest")


def _replacing(context: JobContext, host: Host, old: dict[str, Any], spec: ContainerSpec, start: bool) -> Replacing:
    if host.engine == "Podman":
        keep_addresses(spec, old)
    settle, within = float(context.params["settle"]), float(context.params["healthy_within"])
    return Replacing(context, host, old, spec, start=start, settle=settle, healthy_within=within)


# ---------------------------------------------------------------- what shares its namespaces
def _take_along(context: JobContext, asking: Asking, replacing: Replacing, defaults: Defaults) -> None:
    """Containers that share the network of the old one keep its id: they are made anew too, to share the new one's."""
    names = {replacing.old_id, replacing.old_name, replacing.name}
    rows = asking.ask("GET", "/containers/json", {"all": "1"}) or []
    new = [row for row in map(parse.container_row, rows) if row and row["engine_id"] == replacing.new_id]
    apply.apply_rows(replacing.host, "container", new, only={replacing.new_id})  # who may join it is asked of its row
    for row in rows:
        if not joins(row.get("HostConfig") or {}, names) or row.get("Id") == replacing.new_id:
            continue
        other = asking.container(str(row.get("Id")))
        if other is None:
            continue
        name = str(other.get("Name") or "").removeprefix("/")
        try:
            _demand_still(context, replacing.host, other)
            context.log(_("%(name)s shares its network, and is made anew as well.") % {"name": name})
            new_id = _take_one(context, asking, replacing, other, names, defaults)
            replacing.along[str(other["Id"])[:12]] = new_id
        except Denied:
            context.leaves(_("A container of others shares the network of the old one: it has to be made anew."))
        except (DermagaError, EngineError) as error:
            context.check_cancelled()
            sentence = _("%(name)s shares the network of the old %(old)s and could not be made anew: %(why)s")
            context.leaves(sentence % {"name": name, "old": replacing.old_name, "why": error})


def _take_one(
    context: JobContext,
    asking: Asking,
    replacing: Replacing,
    other: dict[str, Any],
    names: set[str],
    defaults: Defaults,
) -> str:
    _may_be_replaced(other)
    before = from_inspect(other, asking.image(str(other.get("Image") or "")), defaults)
    has = str(other.get("Image"))
    same = _bare((asking.image(before.image) or {}).get("Id")) == _bare(has)
    spec = replace(before, name="", image=before.image if same else has)  # only what it joins is new
    join(spec, names, replacing.new_id)
    corner = Corner(replacing.host, context.job.team_id)
    check_uses(context.job.by, corner, replace(spec, platform=""), volumes_of(other))
    keep_volumes(spec, other, before)
    ran = bool((other.get("State") or {}).get("Running"))
    anew = _replacing(context, replacing.host, other, spec, ran)
    anew.replace()
    return anew.new_id


# ---------------------------------------------------------------- put back
def start_put_back(actor: Any, container: Container) -> Job:
    """Starts a job that makes all as it was before a container was made anew, and that was cut short."""
    demand(actor, Right.CONTAINERS_OPERATE, container)
    found = STANDS_IN.fullmatch(container.name)
    if not found:
        raise Conflict(gettext_noop("%(name)s was not set aside."), {"name": container.name})
    host, name = container.host.name, found["name"]
    return queue.start(
        actor,
        "container.put_back",
        host=host,
        team=container.owner_id,
        target=name,
        params={"host": host, "name": name, "job": found["job"]},
        locks=[lock(host, "container", one) for one in (name, container.engine_id)],
    )


def run_put_back(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: the half-made one goes, the one that was set aside gets its name back and starts."""
    host, params = host_of(context), context.params
    name, job = params["name"], params["job"]
    with recorded(
        context.job.by, Right.CONTAINERS_OPERATE, Corner(host, context.job.team_id), "container.put_back", name
    ):
        asking = Asking(host, context)
        aside, coming = asking.container(f"{name}{ASIDE}{job}"), asking.container(f"{name}{COMING}{job}")
        current = asking.container(name)
        if not aside and not current:
            sentence = gettext_noop("%(name)s is not on %(host)s any more.")
            raise Failure("no_container", 404, sentence, {"name": name, "host": host.name})
        old = aside or current
        for one in filter(None, (aside, coming, current)):
            _demand_still(context, host, one)
        try:
            for other in [coming, current if aside else None]:
                if other:
                    context.log(_("Removing %(id)s, which was to take its place.") % {"id": other["Id"][:12]})
                    asking.ask("DELETE", f"/containers/{other['Id']}", {"force": "1"})
            if aside:
                asking.ask("POST", f"/containers/{old['Id']}/rename", {"name": name})
            if not (old.get("State") or {}).get("Running"):
                asking.ask("POST", f"/containers/{old['Id']}/start")
        except (EngineError, Cancelled):
            words = _("%(name)s on %(host)s is not wholly put back: it may still be called %(aside)s, or not run.")
            context.leaves(words % {"name": name, "host": host.name, "aside": f"{name}{ASIDE}{job}"})
            raise
    return {"id": old["Id"], "name": name}
