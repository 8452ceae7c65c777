"""Events."""

from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import BIGGEST, LABEL_AT_MOST, NAME_AT_MOST, at, text, time_of, whole

ACTION_NAMES = {"died": "die", "remove": "destroy"}
EVENT_KEEPS = ("exitCode", "signal", "oldName", "container", "image")  # stored with an event
EVENT_READS = ("name", "containerExitCode", "health_status")  # the last two are Podman's


class EventRow(TypedDict):
    """The values of hosts.models.Event."""

    time: datetime
    time_nano: int
    kind: str
    action: str
    actor_id: str
    actor_name: str
    data: dict[str, str]


def event_row(raw: Any) -> EventRow | None:
    """A line of /events; None when it says no kind, action or time."""
    if not isinstance(raw, dict):
        return None
    attributes = at(raw, "Actor", "Attributes")
    said = {name: text(at(attributes, name), LABEL_AT_MOST) for name in (*EVENT_KEEPS, *EVENT_READS)}
    kind = text(raw.get("Type"), 40)
    nano = whole(raw.get("timeNano")) or whole(raw.get("time")) * 1_000_000_000
    time = time_of(nano / 1e9)
    action = _action(raw, kind, said)
    if not kind or not action or time is None or nano >= BIGGEST:
        return None
    actor_id = text(at(raw, "Actor", "ID") or raw.get("id"), NAME_AT_MOST)
    name = said["name"][:NAME_AT_MOST]
    said["exitCode"] = said["exitCode"] or said["containerExitCode"]
    return {
        "time": time,
        "time_nano": nano,
        "kind": kind,
        "action": action,
        "actor_id": actor_id,
        "actor_name": name or (actor_id if kind == "volume" else ""),
        # labels come as attributes as well: only what says something about the event is kept
        "data": {name: said[name] for name in EVENT_KEEPS if said[name]},
    }


def _action(raw: dict[str, Any], kind: str, said: dict[str, str]) -> str:
    action = text(raw.get("Action") or raw.get("status"), 255)
    if kind == "container":
        action = ACTION_NAMES.get(action, action)
    if action == "health_status":  # Podman says which one beside it
        told = said["health_status"] or text(raw.get("HealthStatus"), 20)
        return f"health_status: {told}"[:255] if told else action
    return action
