"""What can be done to secrets and configs of a swarm: create, labels, remove; a config can be read, a secret cannot."""

import base64
import re
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from common.hiding import hiding
from hosts.access import may
from hosts.actions.swarm.manager import on_manager, refresh, setting, update
from hosts.inventory import swarms
from hosts.models import Config, Node, Secret, Swarm
from hosts.swarm_owning import check_stays, check_still, claimed_in
from hosts.swarm_plan import check_labels, check_value

NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?")
TEMPLATINGS = ("", "golang")
MANAGE = {model.noun: model.manage_right for model in (Secret, Config)}
SHOWN = 4
NO_DRIVER = gettext_noop(
    "A driver gives the values of all secrets that it has: only who manages the swarm's secrets uses one."
)
DRIVERS = "secretprovider"  # the capability of a plugin that gives values of secrets


def create(
    actor: Any,
    swarm: Swarm,
    noun: str,
    name: str,
    value: bytes,
    *,
    labels: dict[str, str] | None = None,
    templating: str = "",
    driver: str = "",
) -> str:
    """Makes a "secret" or a "config" and gives its id. The value goes to the engine and is kept nowhere. A secret of a
    `driver`, a plugin, has none."""
    labels, corner = claimed_in(actor, MANAGE[noun], swarm, labels or {})
    _check(noun, name, value, labels, templating, driver)
    if driver and not may(actor, MANAGE[noun], swarm):
        raise Invalid("driver", NO_DRIVER)
    if driver:
        _has_driver(swarm, driver)
    body: dict[str, Any] = {"Name": name, "Labels": labels}
    if driver:
        body["Driver"] = {"Name": driver}
    else:
        body["Data"] = base64.b64encode(value).decode()
    if templating:
        body["Templating"] = {"Name": templating}
    try:
        with (
            hiding(str(body.get("Data", "")), value.decode("utf-8", "replace")),
            on_manager(actor, MANAGE[noun], corner, f"{noun}.create", name, detail={"bytes": len(value)}) as manager,
        ):
            made = str(manager.ask("POST", f"/{noun}s/create", body=body, seconds=30)["ID"])
            refresh(manager, swarm, noun, made)
            return made
    except Failure as error:
        if error.status == 409:
            template = gettext_noop("There is one called %(name)s already. Choose another name.")
            raise Invalid("name", template, {"name": name}) from None
        raise


def _has_driver(swarm: Swarm, driver: str) -> None:
    """An engine looks for a driver that it lacks for a quarter of a minute; its nodes have told which ones they have."""
    for node in Node.objects.filter(swarm=swarm, role="manager"):
        known = (node.data.get("plugins") or {}).get(DRIVERS) or []
        if driver in known or f"{driver}:latest" in known:
            return
    sentence = gettext_noop(
        "No manager of %(swarm)s has a secret driver called %(driver)s. Install and enable that plugin on the managers."
    )
    raise Invalid("driver", sentence, {"swarm": swarm.name, "driver": driver})


def _check(noun: str, name: str, value: bytes, labels: dict[str, str], templating: str, driver: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(
            "name",
            gettext_noop(
                "A name has 1 to 64 letters, digits, dots, dashes and underscores, and begins and ends with a "
                "letter or digit."
            ),
        )
    if driver and noun == "config":
        raise Invalid("driver", gettext_noop("Configs have no driver."))
    if driver and value:
        raise Invalid(
            "value", gettext_noop("The value of a secret with a driver comes from the driver: leave it empty.")
        )
    if not driver:
        check_value(noun, value)
    if templating not in TEMPLATINGS:
        raise Invalid("templating", gettext_noop("The only templating is golang."))
    check_labels(labels)


def set_labels(actor: Any, row: Secret | Config, labels: dict[str, str], version: int | None = None) -> None:
    """Replaces its labels. Nothing else of it can be changed."""
    check_labels(labels)
    noun, detail = row.noun, dict[str, Any]()
    check_stays(actor, MANAGE[noun], row, labels)
    change = setting(detail, {"Labels": labels})

    def checked(spec: dict[str, Any]) -> None:
        check_still(actor, MANAGE[noun], row, spec)
        change(spec)

    with on_manager(actor, MANAGE[noun], row, f"{noun}.labels", row.name, detail=detail) as manager:
        update(manager, noun, row.engine_id, checked, version)
        refresh(manager, row.swarm, noun, row.engine_id)


def remove(actor: Any, row: Secret | Config) -> None:
    """Removes it; an engine refuses while a service uses it."""
    noun = row.noun
    try:
        with on_manager(actor, MANAGE[noun], row, f"{noun}.remove", row.name) as manager:
            manager.ask("DELETE", f"/{noun}s/{quote(row.engine_id, safe='')}", seconds=30)
    except Failure as error:
        if "in use by" in error.detail:
            raise _in_use(actor, row) from error
        raise
    swarms.apply_objects(row.swarm, noun, [], only={row.engine_id})


def _in_use(actor: Any, row: Secret | Config) -> Conflict:
    names = [service.name for service in row.services(actor)]
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    template = gettext_noop("Services use %(name)s: %(names)s. Take it from them first.")
    return Conflict(template, {"name": row.name, "names": shown or "?"})


def content(actor: Any, config: Config) -> bytes:
    """What is in a config, asked now. The reading is recorded."""
    with on_manager(actor, Right.CONFIGS_REVEAL, config, "config.reveal", config.name) as manager:
        raw = manager.ask("GET", f"/configs/{quote(config.engine_id, safe='')}", seconds=30)
        try:
            return base64.b64decode(str(raw["Spec"].get("Data") or ""), validate=False)
        except ValueError:
            return b""
