"""What can be done to a container."""

from typing import Any

from django.utils.translation import gettext_noop

from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict
from hosts import options
from hosts.actions.act import on_engine
from hosts.inventory.owners import move_word
from hosts.models import Container
from hosts.models.containers import STATES_FOR
from hosts.owning import check_name


def start(actor: Any, container: Container) -> None:
    """Starts it."""
    with _engine(actor, container, "start") as api:
        api.start(container.engine_id)


def stop(actor: Any, container: Container, timeout: int | None = None) -> None:
    """Stops it: its stop signal, then after `timeout` seconds (None: the container's own) SIGKILL."""
    wait = options.seconds(timeout)
    with _engine(actor, container, "stop", wait=(wait or 10) + 30, timeout=wait) as api:
        api.stop(container.engine_id, timeout=wait)


def restart(actor: Any, container: Container, timeout: int | None = None) -> None:
    """Stops and starts it."""
    wait = options.seconds(timeout)
    with _engine(actor, container, "restart", wait=(wait or 10) + 30, timeout=wait) as api:
        # the SDK has no "the container's own" here: 10 s is the engine's default
        api.restart(container.engine_id, timeout=10 if wait is None else wait)


def kill(actor: Any, container: Container, signal: str = "KILL") -> None:
    """Sends a signal, SIGKILL unless another is named."""
    name = options.signal(signal)
    with _engine(actor, container, "kill", signal=name) as api:
        api.kill(container.engine_id, name if name.isdecimal() else f"SIG{name}")


def pause(actor: Any, container: Container) -> None:
    """Freezes its processes."""
    with _engine(actor, container, "pause") as api:
        api.pause(container.engine_id)


def unpause(actor: Any, container: Container) -> None:
    """Lets its processes go on."""
    with _engine(actor, container, "unpause") as api:
        api.unpause(container.engine_id)


def rename(actor: Any, container: Container, name: str) -> None:
    """Gives it another name."""
    name = options.name(name)
    check_name(actor, Right.CONTAINERS_OPERATE, container, name)
    with _engine(actor, container, "rename", **difference({"name": container.name}, {"name": name})) as api:
        api.rename(container.engine_id, name)
        move_word(container.host, container.name, name)


def remove(actor: Any, container: Container, *, volumes: bool = False, force: bool = False) -> None:
    """Removes it; with its anonymous volumes if `volumes`; while it runs only by `force`."""
    with _engine(actor, container, "remove", volumes=volumes, force=force) as api:
        api.remove_container(container.engine_id, v=volumes, force=force)


def _engine(actor: Any, container: Container, verb: str, wait: float = 30, **detail: Any) -> Any:
    if container.state not in STATES_FOR[verb] and container.host.is_live:
        # what the table says may be a moment old, but it is what the person saw
        raise Conflict(
            gettext_noop("%(name)s is %(state)s: it cannot be done in this state."),
            {"name": container.name, "state": container.state},
        )
    return on_engine(
        actor,
        Right.CONTAINERS_OPERATE,
        container,
        f"container.{verb}",
        container.name,
        timeout=wait,
        detail={"id": container.engine_id[:12], **{k: v for k, v in detail.items() if v is not None}},
    )
