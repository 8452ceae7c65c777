"""Another value for what services use: a secret or config cannot change, so a new one takes the place of the old."""

import base64
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure, Invalid
from hosts.access import may
from hosts.actions.act import demand, may_go_on
from hosts.actions.asking import Asking
from hosts.actions.swarm.manager import on_manager, refresh, update
from hosts.actions.swarm.secrets import MANAGE
from hosts.models import Config, Secret, Service
from hosts.swarm_owning import check_still
from hosts.swarm_plan import check_value, next_name
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

KINDS: dict[str, type[Secret] | type[Config]] = {"secret": Secret, "config": Config}


def start_replace(actor: Any, row: Secret | Config, value: bytes) -> Job:
    """Starts a job that makes a new secret or config of this `value`, and lets all services that use `row` use that."""
    demand(actor, MANAGE[row.noun], row)
    demand(actor, Right.SERVICES_MANAGE, row)
    if isinstance(row, Secret) and row.driver:
        raise Invalid("value", gettext_noop("The value of a secret with a driver comes from the driver."))
    check_value(row.noun, value)
    return queue.start(
        actor,
        f"{row.noun}.replace",
        team=row.owner_id,
        target=f"{row.swarm.name}/{row.name}",
        params={"swarm": row.swarm.engine_id, "id": row.engine_id},
        sealed={"value": base64.b64encode(value).decode()},
        locks=[lock(row.swarm.name, row.noun, row.name)],
    )


def run_replace(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. Cut off in between, it says which services use which."""
    noun = context.job.kind.partition(".")[0]
    rows = KINDS[noun].objects.select_related("swarm").filter(swarm__engine_id=context.params["swarm"])
    row: Any = rows.filter(engine_id=context.params["id"]).first()
    if row is None:
        raise Failure("gone", 404, gettext_noop("%(name)s is gone."), {"name": context.job.target})
    context.hide(context.sealed["value"], base64.b64decode(context.sealed["value"]).decode("utf-8", "replace"))
    actor = context.job.by
    # where another team's services use it too, those go on with the old one
    services = [service for service in row.services(actor) if may(actor, Right.SERVICES_MANAGE, service)]
    demand(actor, Right.SERVICES_MANAGE, row)
    with on_manager(actor, MANAGE[noun], row, f"{noun}.replace", row.name, context=context) as manager:
        name = next_name(row.name, set(rows.values_list("name", flat=True)))
        try:
            made = _create(manager, noun, name, row, context.sealed["value"])
        except Cancelled:
            may_go_on(context, name)
            raise
        refresh(manager, row.swarm, noun, made)
        moved: list[str] = []
        try:
            for place, service in enumerate(services):
                context.progress((place + 1) / (len(services) + 1), service.name)
                _move(actor, manager, service, noun, row.engine_id, made, name)
                moved.append(service.name)
                context.log(_("%(service)s uses %(name)s now.") % {"service": service.name, "name": name})
        except BaseException:
            words = {"name": name, "moved": ", ".join(moved) or "-", "old": row.name}
            context.leaves(_("%(name)s is made. It is used by: %(moved)s. The others still use %(old)s.") % words)
            raise
        return {"made": name, "services": moved}


def _create(manager: Asking, noun: str, name: str, row: Any, value: str) -> str:
    body: dict[str, Any] = {"Name": name, "Labels": row.labels, "Data": value}
    if row.templating:
        body["Templating"] = {"Name": row.templating}
    return str(manager.ask("POST", f"/{noun}s/create", body=body, seconds=30)["ID"])


def _move(actor: Any, manager: Asking, service: Service, noun: str, old: str, new: str, name: str) -> None:
    title = noun.capitalize()

    def change(spec: dict[str, Any]) -> None:
        check_still(actor, Right.SERVICES_MANAGE, service, spec)
        container = spec["TaskTemplate"].get("ContainerSpec") or {}
        for entry in container.get(f"{title}s") or []:
            if entry.get(f"{title}ID") == old:  # the file that it is found as stays
                entry |= {f"{title}ID": new, f"{title}Name": name}
        credential = (container.get("Privileges") or {}).get("CredentialSpec") or {}
        if noun == "config" and credential.get("Config") == old:
            credential["Config"] = new

    update(manager, "service", service.engine_id, change)
    refresh(manager, service.swarm, "service", service.engine_id)
