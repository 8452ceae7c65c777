"""Which kinds of jobs make no sense by the clock, and why."""

from typing import Any

from django.utils.translation import gettext_noop

TAKEN = gettext_noop("a schedule would fail from the second time on, as what it makes is there then.")
GONE = gettext_noop("what it was asked to take away is gone after the first time.")
BACK_AND_FORTH = gettext_noop("every second time it would bring back what was rolled back.")
LOOKED_AT = gettext_noop("it was asked for of what had been looked at, and is refused once that has changed.")
LOOKED_AT_NOW = gettext_noop("they are open for half an hour, for who looks at them then.")
CUT_SHORT = gettext_noop("it ends what was cut short once.")
SETTINGS = gettext_noop(
    "each time it would give the container these settings again, whatever was changed since. Make it anew from its "
    "newest image, and schedule that."
)


def created(params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """A container without a name, or one that goes by itself, can be made every night."""
    stays = not (sealed.get("spec") or {}).get("auto_remove")
    return TAKEN if params.get("name") and stays else ""


def recreated(params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """From the newest image: yes."""
    return "" if params.get("newest") else SETTINGS


def bulk(params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """Starting, stopping and the like: yes."""
    return GONE if params.get("verb") == "remove" else ""


def restored(params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """Into the volume that is there: yes."""
    return "" if params.get("replace") else TAKEN


def looked_at(params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """Of a version that somebody had looked at: no."""
    return LOOKED_AT if (sealed.get("options") or {}).get("version") is not None else ""
