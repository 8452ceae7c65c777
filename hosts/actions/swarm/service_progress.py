"""Waits, for a job, until a service is as it is wanted, with what its tasks do as the progress; or says why it is not."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Failure
from hosts.actions.act import failure
from hosts.actions.asking import Asking
from hosts.actions.swarm.manager import manager_for
from hosts.engine.answers import NotFound
from hosts.engine.errors import EngineError
from hosts.engine.parse.values import text
from hosts.models import Swarm
from hosts.specs.kinds import NANO
from hosts.specs.services.inspected import mode_of
from hosts.specs.services.spec import Mode
from jobs.run import JobContext

POLL_SECONDS = 0.3
ASK_SECONDS = 15.0
MONITOR_SECONDS = 5.0  # that the tasks are watched when they run, unless the service says how long
STUCK_SECONDS = 6.0  # without a task that moves
FAILURES_AT_MOST = 4  # of one slot
LOST_SECONDS = 60.0  # without a manager that answers
PARTS_AT_MOST = 200
REASONS_AT_MOST = 3
MOVING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
ENDED = {"complete", "failed", "rejected", "shutdown", "orphaned", "remove"}
GOING_ON = ("updating", "rollback_started")  # states of an update
WANTED = {"running", "ready", "complete"}  # desired states of a task that counts


class Convergence:
    """Of one service. `rollback`: going back to the specification before is what is wanted."""

    def __init__(
        self, context: JobContext, swarm: Swarm, manager: Asking, engine_id: str, *, rollback: bool = False
    ) -> None:
        self.context, self.swarm, self.manager, self.engine_id = context, swarm, manager, engine_id
        self.rollback = rollback
        self.count, self.desired = 0, 0
        self.name = engine_id[:12]
        self._nodes: dict[str, str] = {}
        self._reasons: dict[str, None] = {}  # of tasks that failed, in their order
        self._failures: Counter[str] = Counter()
        self._known: set[str] = set()  # tasks that failed, and were counted
        self._moved = time.monotonic()
        self._converged: float | None = None

    # ------------------------------------------------------------ waiting
    def wait(self) -> None:
        """Until it is. Raises Failure with the reasons of the tasks, and Cancelled; both say what is left."""
        lost: float | None = None
        try:
            looked = False
            while True:
                try:
                    if not looked:
                        self._known = {str(task.get("ID")) for task in self._tasks() if _state(task) in ENDED}
                        looked = True
                    if self._step():
                        return
                    lost = None
                except EngineError as error:
                    self.context.check_cancelled()
                    lost = lost or time.monotonic()
                    if isinstance(error, NotFound) or time.monotonic() - lost > LOST_SECONDS:
                        raise failure(error) from error
                    self._another_manager()
                self.context.pause(POLL_SECONDS)
        except BaseException:
            words = {"name": self.name, "count": self.count, "desired": self.desired}
            sentence = _("%(name)s stays as it is wanted: %(count)s of %(desired)s tasks. The swarm goes on by itself.")
            self.context.leaves(sentence % words)
            raise

    def _another_manager(self) -> None:
        try:
            self.manager = Asking(manager_for(self.swarm, self.context), self.context)
        except Failure as error:
            self.context.progress(0, str(error))  # perhaps soon

    def _ask(self, path: str, **filters: list[str]) -> Any:
        params = {"filters": json.dumps(filters)} if filters else None
        return self.manager.ask("GET", path, params, seconds=ASK_SECONDS)

    def _tasks(self, **filters: list[str]) -> list[dict[str, Any]]:
        found = self._ask("/tasks", service=[self.engine_id], **filters)
        return [task for task in found or [] if isinstance(task, dict)]

    # ------------------------------------------------------------ one look
    def _step(self) -> bool:
        """Whether it is as it is wanted, and has been for long enough. Raises Failure, EngineError and Cancelled."""
        service = self._service()
        spec, told = service.get("Spec") or {}, service.get("UpdateStatus") or {}
        update, mode = str(told.get("State") or ""), mode_of(spec)
        is_job = mode.kind.endswith("-job")
        current = self._tasks(**{"_up-to-date": ["true"]})
        if is_job:
            iteration = ((service.get("JobStatus") or {}).get("JobIteration") or {}).get("Index")
            current = [task for task in current if (task.get("JobIteration") or {}).get("Index") == iteration]
        slots = _slots(current)
        self._note_failures(current, is_job=is_job)
        self._refuse_update(update, text(told.get("Message"), 500))
        whole = self._count(mode, slots)
        self._report(slots, update)
        if whole and update not in GOING_ON:
            return self._is_stable(0.0 if is_job else self._monitor_of(spec))
        self._converged = None
        self._refuse_stuck(slots, update)
        return False

    def _service(self) -> dict[str, Any]:
        try:
            service: dict[str, Any] = self._ask(f"/services/{quote(self.engine_id, safe='')}")
        except NotFound as error:
            sentence = gettext_noop("The service %(name)s was removed meanwhile.")
            raise Failure("removed", 404, sentence, {"name": self.name}) from error
        if not self._nodes:
            self._nodes = {
                str(node.get("ID")): text((node.get("Description") or {}).get("Hostname"), 100)
                for node in self._ask("/nodes") or []
            }
        self.name = text((service.get("Spec") or {}).get("Name"), 100) or self.name
        return service

    def _count(self, mode: Mode, slots: dict[str, dict[str, Any]]) -> bool:
        """Whether all tasks are there, and no others run."""
        before, wanted = self.count, "complete" if mode.kind.endswith("-job") else "running"
        self.count = sum(_state(task) == wanted and task.get("DesiredState") in WANTED for task in slots.values())
        if self.count > before:
            self._moved = time.monotonic()
        if mode.kind.startswith("global"):
            self.desired = len(slots)  # the swarm has chosen the nodes
        else:
            self.desired = (mode.replicas if mode.kind == "replicated" else mode.completions) or 0
        if self.count < self.desired or (mode.kind.startswith("global") and not slots):
            return False
        chosen = {str(task.get("ID")) for task in slots.values()}
        return wanted == "complete" or not any(
            _state(task) == "running" and str(task.get("ID")) not in chosen for task in self._tasks()
        )

    def _monitor_of(self, spec: dict[str, Any]) -> float:
        """Seconds that the tasks are watched when they run."""
        said = (spec.get("RollbackConfig" if self.rollback else "UpdateConfig") or {}).get("Monitor")
        return said / NANO if isinstance(said, int) and said > 0 else MONITOR_SECONDS

    def _is_stable(self, seconds: float) -> bool:
        """Whether it has been converged for `seconds`."""
        now = time.monotonic()
        self._converged = self._converged or now
        if now - self._converged >= seconds:
            return True
        self.context.progress(0.95, _("All tasks are there; they are watched for %(n)s s") % {"n": round(seconds, 1)})
        return False

    def _note_failures(self, tasks: list[dict[str, Any]], *, is_job: bool) -> None:
        ends = {"failed", "rejected", "orphaned"} | (set() if is_job else {"complete"})
        for task in tasks:
            key = str(task.get("ID"))
            if _state(task) not in ends or key in self._known:
                continue
            self._known.add(key)
            self._failures[_slot(task)] += 1
            reason = _error(task) or _("it ended by itself")
            self._reasons[f"{self._node(task)}: {reason}"] = None
            self.context.log(f"{self._title(task)}: {reason}")

    # ------------------------------------------------------------ reasons
    def _refuse_update(self, state: str, message: str) -> None:
        """Raises Failure for an update that has ended otherwise than it was wanted."""
        if state == "rollback_completed" and not self.rollback:
            sentence = gettext_noop(
                "The update of %(name)s failed, and the swarm went back to what was before. %(why)s"
            )
            raise self._failure("rolled_back", sentence, message)
        if state in {"paused", "rollback_paused"}:
            sentence = gettext_noop("The swarm has paused the update of %(name)s. %(why)s")
            raise self._failure("update_paused", sentence, message)

    def _refuse_stuck(self, slots: dict[str, dict[str, Any]], update: str) -> None:
        """Raises Failure when nothing gets better by itself."""
        now = time.monotonic()
        for task in slots.values():
            if _state(task) == "pending" and (why := _error(task)):
                self._reasons[why] = None
        waits = any(_state(task) == "pending" and _error(task) for task in slots.values())
        if not waits and (update in GOING_ON or any(_moves(t) for t in slots.values())):
            self._moved = now
        elif now - self._moved > STUCK_SECONDS:
            sentence = gettext_noop("%(name)s is not as it is wanted: %(count)s of %(desired)s tasks. %(why)s")
            nowhere = "" if slots else _("No node meets its constraints.")
            raise self._failure("not_converged", sentence, nowhere)
        if update not in GOING_ON and max(self._failures.values(), default=0) >= FAILURES_AT_MOST:
            sentence = gettext_noop("The tasks of %(name)s end again and again: %(count)s of %(desired)s run. %(why)s")
            raise self._failure("tasks_fail", sentence)

    def _failure(self, code: str, template: str, message: str = "") -> Failure:
        reasons = [*list(self._reasons)[-REASONS_AT_MOST:], *([message] if message else [])]
        why = " ".join(f"{reason.rstrip('.')}." for reason in reasons)
        words = {"name": self.name, "count": self.count, "desired": self.desired, "why": why}
        return Failure(code, 409, template, words)

    # ------------------------------------------------------------ reporting
    def _report(self, slots: dict[str, dict[str, Any]], update: str) -> None:
        words = {"count": self.count, "desired": self.desired}
        said = _("%(count)s of %(desired)s tasks") % words
        if update == "updating":
            said = _("Updating: %(count)s of %(desired)s tasks are new") % words
        elif update == "rollback_started":
            said = _("Going back: %(count)s of %(desired)s tasks") % words
        ordered = sorted(slots.values(), key=lambda task: (task.get("Slot") or 0, self._node(task)))
        parts = [
            {"id": self._title(task), "state": _state(task), "error": _error(task)} for task in ordered[:PARTS_AT_MOST]
        ]
        share = self.count / self.desired if self.desired else 1.0
        self.context.progress(0.1 + 0.8 * min(1.0, share), said, parts)

    def _node(self, task: dict[str, Any]) -> str:
        return self._nodes.get(str(task.get("NodeID"))) or _("no node")

    def _title(self, task: dict[str, Any]) -> str:
        slot = task.get("Slot")
        return f"{self.name}.{slot} · {self._node(task)}" if slot else f"{self.name} · {self._node(task)}"


def _state(task: dict[str, Any]) -> str:
    return text((task.get("Status") or {}).get("State"), 20)


def _error(task: dict[str, Any]) -> str:
    return text((task.get("Status") or {}).get("Err"), 300)


def _slot(task: dict[str, Any]) -> str:
    return str(task.get("Slot") or task.get("NodeID") or task.get("ID"))


def _moves(task: dict[str, Any]) -> bool:
    return _state(task) in MOVING


def _slots(tasks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The task that counts in each slot: one that is to run, else the newest."""
    found: dict[str, dict[str, Any]] = {}
    rank: Callable[[dict[str, Any]], Any] = lambda task: (  # noqa: E731
        str(task.get("DesiredState")) in WANTED,
        str(task.get("CreatedAt")),
    )
    for task in tasks:
        if str(task.get("DesiredState")) == "remove":
            continue
        slot = _slot(task)
        if slot not in found or rank(task) > rank(found[slot]):
            found[slot] = task
    return found
