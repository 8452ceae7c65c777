"""Changing the limits and the restart policy of a container that is there, without making it anew."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict, Failure
from hosts.actions.act import asks_now, current_job, demand_enabled, recorded_at
from hosts.actions.asking import Asking
from hosts.engine.answers import NotFound as EngineNotFound
from hosts.engine.errors import clean
from hosts.models import Container
from hosts.models.containers import STATES_FOR
from hosts.specs.inspected import from_inspect
from hosts.specs.spec import ContainerSpec
from hosts.specs.updates import apply_to, different, shown, to_update

UPDATE_SECONDS = 30.0
WARNINGS_AT_MOST = 10


def update(actor: Any, container: Container, changes: dict[str, Any]) -> list[str]:
    """Sets `changes`, values by their dotted names in a specification (hosts.specs.updates.NAMES); gives the engine's
    warnings. What is the same already is not sent. Raises Invalid for a wrong value."""
    host = container.host
    detail: dict[str, Any] = {"id": container.engine_id[:12]}  # what was and what is comes in when it is known
    with recorded_at(actor, Right.CONTAINERS_OPERATE, container, "container.update", container.name, detail=detail):
        demand_enabled(host)
        if container.state not in STATES_FOR["update"] and host.is_live:
            raise Conflict(
                gettext_noop("%(name)s is %(state)s: it cannot be done in this state."),
                {"name": container.name, "state": container.state},
            )
        asks_now()
        asking = Asking(host, current_job(), actor)
        before = from_inspect(_found(asking, container))
        after = apply_to(before, changes)
        body = to_update(before, after)
        names = different(before, after)
        detail |= difference(_texts(before, names), _texts(after, names))
        if not body:
            return []
        path = f"/containers/{container.engine_id}/update"
        try:
            answer = asking.ask("POST", path, body=body, seconds=UPDATE_SECONDS)
        except EngineNotFound as error:
            if asking.container(container.engine_id) is None:
                raise
            sentence = gettext_noop(
                "%(engine)s %(version)s cannot change limits while a container is there. Recreate the container with "
                "other ones."
            )
            words = {"engine": host.engine, "version": host.engine_version}
            raise Failure("not_supported", 501, sentence, words) from error
        warnings = _warnings(answer) or _not_taken(asking, container, after, names)
        if warnings:
            detail["warnings"] = warnings
        return warnings


def _found(asking: Asking, container: Container) -> Any:
    answer = asking.container(container.engine_id)
    if not isinstance(answer, dict):
        sentence = gettext_noop("%(name)s is not on %(host)s any more.")
        raise Failure("no_container", 404, sentence, {"name": container.name, "host": container.host.name})
    return answer


def _texts(spec: ContainerSpec, names: list[str]) -> dict[str, str]:
    return {name.removeprefix("limits."): shown(spec, name) for name in names}


def _warnings(answer: Any) -> list[str]:
    found = answer.get("Warnings") if isinstance(answer, dict) else None
    return [clean(words) for words in found[:WARNINGS_AT_MOST]] if isinstance(found, list) else []


def _not_taken(asking: Asking, container: Container, after: ContainerSpec, names: list[str]) -> list[str]:
    """What an engine left as it was although it said nothing."""
    now = from_inspect(_found(asking, container))
    return [
        _("%(engine)s left %(field)s as it was.")
        % {"engine": container.host.engine or "The engine", "field": name.removeprefix("limits.")}
        for name in names
        if shown(now, name) != shown(after, name)
    ]
