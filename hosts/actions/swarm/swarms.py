"""What can be done to a swarm as a whole: its settings, its tokens, its unlock key, and our name of it."""

from typing import Any

from django.utils.translation import gettext_noop

from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts.actions.act import recorded_at
from hosts.actions.asking import Asking
from hosts.actions.swarm.manager import OUT_OF_SEQUENCE, TRIES, moved_on, on_manager
from hosts.engine.errors import EngineError
from hosts.engine.parse.swarms import swarm_row
from hosts.inventory import swarms
from hosts.models import Swarm
from hosts.swarm_plan import NOT_NAMES, ROLES, SLUG, SettingsPlan


def rename(actor: Any, swarm: Swarm, name: str) -> None:
    """Gives it another name here; its engines call every swarm "default"."""
    detail = difference({"name": swarm.name}, {"name": name if SLUG.fullmatch(name) else ""})
    with recorded_at(actor, Right.SWARM_MANAGE, swarm, "swarm.rename", swarm.name, detail=detail):
        _check_name(swarm, name)
        swarms.rename(swarm, name)


def _check_name(swarm: Swarm, name: str) -> None:
    if not SLUG.fullmatch(name) or name in NOT_NAMES:
        raise Invalid("name", gettext_noop("A name has small letters, digits and dashes, 63 at most."))
    if Swarm.objects.filter(name=name).exclude(pk=swarm.pk).exists():
        raise Invalid("name", gettext_noop("There is a swarm called %(name)s already."), {"name": name})


def change(
    actor: Any, swarm: Swarm, plan: SettingsPlan, *, version: int | None = None, name: str | None = None
) -> None:
    """Changes its settings, and then what it is called here, if it is to get another `name`. With the `version` that
    somebody has looked at, neither if it was changed since."""
    plan.check()
    renamed = name is not None and name != swarm.name
    if renamed:
        _check_name(swarm, name or "")
    detail: dict[str, Any] = {}
    with on_manager(actor, Right.SWARM_MANAGE, swarm, "swarm.change", swarm.name, detail=detail) as manager:
        detail |= _update(manager, swarm, plan, version)
    if renamed:
        rename(actor, swarm, name or "")


def _update(
    manager: Asking, swarm: Swarm, plan: SettingsPlan, version: int | None = None, *, rotate: str = ""
) -> dict[str, Any]:
    """What was, and became, as the audit keeps it."""
    said: dict[str, Any] = {}
    query = {f"rotate{rotate}": "true"} if rotate else {}
    for left in reversed(range(TRIES)):
        raw = manager.ask("GET", "/swarm", seconds=30)
        current = raw["Version"]["Index"]
        if version is not None and current != version:
            raise moved_on(swarm.name)
        was = plan.told(raw["Spec"])
        plan.change(raw["Spec"])
        said = difference(was, plan.told(raw["Spec"]))
        try:
            manager.ask("POST", "/swarm/update", {"version": str(current), **query}, raw["Spec"], seconds=30)
            break
        except EngineError as error:
            if OUT_OF_SEQUENCE not in error.detail:
                raise
            if version is not None or not left:
                raise moved_on(swarm.name) from error
    if row := swarm_row(manager.ask("GET", "/swarm", seconds=30)):
        swarms.apply_settings(swarm, row)
    return said


# ---------------------------------------------------------------- what lets others in
def tokens(actor: Any, swarm: Swarm) -> dict[str, str]:
    """The tokens with which machines join, by role: a secret, whose reading is recorded."""
    with on_manager(actor, Right.SWARM_MANAGE, swarm, "swarm.tokens", swarm.name) as manager:
        answer = manager.ask("GET", "/swarm", seconds=30)
        return {role: str(answer["JoinTokens"][role.capitalize()]) for role in ROLES}


def rotate_token(actor: Any, swarm: Swarm, role: str) -> None:
    """Makes a new token for that role: the old one lets nobody in any more; who is in stays."""
    if role not in ROLES:
        raise Invalid("role", gettext_noop("Choose worker or manager."))
    with on_manager(
        actor, Right.SWARM_MANAGE, swarm, "swarm.rotate_token", swarm.name, detail={"role": role}
    ) as manager:
        _update(manager, swarm, SettingsPlan(), rotate=f"{role.capitalize()}Token")


def unlock_key(actor: Any, swarm: Swarm) -> str:
    """What unlocks a manager that was started again: a secret, whose reading is recorded."""
    with on_manager(actor, Right.SWARM_MANAGE, swarm, "swarm.unlock_key", swarm.name) as manager:
        key = str((manager.ask("GET", "/swarm/unlockkey", seconds=30) or {}).get("UnlockKey") or "")
        if not key:
            raise Conflict(gettext_noop("Autolock is off in %(swarm)s: there is no key."), {"swarm": swarm.name})
        return key


def rotate_unlock_key(actor: Any, swarm: Swarm) -> None:
    """Makes a new unlock key. A manager that is down meanwhile still wants the old one."""
    with on_manager(actor, Right.SWARM_MANAGE, swarm, "swarm.rotate_unlock_key", swarm.name) as manager:
        if not manager.ask("GET", "/swarm", seconds=30)["Spec"].get("EncryptionConfig", {}).get("AutoLockManagers"):
            raise Conflict(gettext_noop("Autolock is off in %(swarm)s: there is no key."), {"swarm": swarm.name})
        _update(manager, swarm, SettingsPlan(), rotate="ManagerUnlockKey")
