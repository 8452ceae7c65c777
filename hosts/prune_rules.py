"""Prunes that a schedule starts: each time they remove what fits the rule by then, where the job of a page removes exactly
what somebody was shown. A job that was started for a choice without a rule has none."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hosts import filters, prunable
from hosts.actions.act import host_of
from hosts.actions.containers import container_prune
from hosts.actions.networks import network_prune
from hosts.actions.removals import AT_ONCE
from hosts.actions.system import system_prune
from hosts.actions.volumes import volume_removals
from hosts.models import Container
from hosts.prune_plan import Choice
from jobs.kinds import Rule
from jobs.models import lock
from jobs.run import JobContext


def _rule(params: dict[str, Any], kind: str, noun: str, target: str) -> Rule | None:
    """Of the kind `kind`, which no other prune of the `noun` runs beside; the parameters lack the list."""
    if params.get("rule") is None:
        return None
    host = params["host"]
    return Rule(kind, target, {"host": host, "rule": params["rule"]}, [lock(host, noun, "prune")])


# ---------------------------------------------------------------- what a schedule starts
def of_containers(params: dict[str, Any]) -> Rule | None:
    """Those that do not run, for some time already, or with a label."""
    return _rule(params, "container.prune", "containers", gettext_noop("containers that do not run"))


def of_networks(params: dict[str, Any]) -> Rule | None:
    """Those that no container uses."""
    return _rule(params, "network.prune", "networks", gettext_noop("unused networks"))


def of_volumes(params: dict[str, Any]) -> Rule | None:
    """Those that no container uses, or only anonymous ones, or with a label."""
    everything = (params.get("rule") or {}).get("everything")
    words = gettext_noop("unused volumes") if everything else gettext_noop("unused anonymous volumes")
    return _rule(params, "volume.remove", "volumes", words)


def of_images(params: dict[str, Any]) -> Rule | None:
    """The engine's own prune, which a page can start without a list as well."""
    if (rule := params.get("rule")) is None:
        return None
    words = gettext_noop("unused images") if rule["everything"] else gettext_noop("dangling images")
    host = params["host"]
    return Rule("image.prune", words, {"host": host, **rule}, [lock(host, "images", "prune")])


def of_system(params: dict[str, Any]) -> Rule | None:
    """What a host has of all kinds."""
    return _rule(params, "system.prune", "system", params.get("host", ""))


# ---------------------------------------------------------------- in a worker
def _fills(context: JobContext, found: Any, more: int) -> None:
    """Gives the job the list that it removes, and says what is left for the next time."""
    context.params = {**context.params, "targets": found}
    if more > 0:
        context.log(_("%(n)s more fit: they are for the next time.") % {"n": more})


def run_containers(context: JobContext) -> dict[str, Any]:
    """Removes those that were shown, or that fit the rule."""
    if "targets" not in context.params:
        rows = Container.objects.visible_to(context.job.by).filter(host=host_of(context))
        rows = filters.stopped(rows, **context.params["rule"]).order_by("name", "pk")
        found = [[c.engine_id, c.name] for c in rows[:AT_ONCE]]
        _fills(context, found, rows.count() - len(found))
    return container_prune.run_prune(context)


def run_networks(context: JobContext) -> dict[str, Any]:
    """Removes those that were shown, or that fit the rule."""
    if "targets" not in context.params:
        found = filters.prunable_networks(context.job.by, host_of(context))
        _fills(context, [[network.engine_id, network.name] for network in found[:AT_ONCE]], len(found) - AT_ONCE)
    return network_prune.run_prune(context)


def run_volumes(context: JobContext) -> dict[str, Any]:
    """Removes those that were shown, or that fit the rule."""
    if "targets" not in context.params:
        rows = filters.prunable_volumes(context.job.by, host_of(context), **context.params["rule"])
        found = [volume.as_shown for volume in rows[:AT_ONCE]]
        _fills(context, found, rows.count() - len(found))
    return volume_removals.run_removals(context)


def run_system(context: JobContext) -> dict[str, Any]:
    """Removes what was shown, or what fits the rule."""
    if "targets" not in context.params:
        host = host_of(context)
        plan = prunable.plan_of(context.job.by, host, Choice(**context.params["rule"]))
        _fills(context, plan.rows, sum(plan.more.values()))
    return system_prune.run_prune(context)
