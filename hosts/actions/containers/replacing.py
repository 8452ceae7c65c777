"""Replaces a container by a new one, for a job: whatever fails on the way, the old one is there again as it was."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Failure
from hosts.actions.containers.making import Making
from hosts.engine.answers import NotFound as EngineNotFound
from hosts.engine.errors import EngineError, TimedOut
from hosts.engine.logs import LogQuery, iter_log_download
from hosts.engine.targets import Target
from hosts.models import Host
from hosts.specs.replaced import ASIDE, COMING, volumes_of
from hosts.specs.spec import ContainerSpec
from jobs.run import JobContext

LOG_LINES, LOG_BYTES, LOG_SECONDS = 20, 64 * 1024, 5.0  # of a new one that is not well
NAME_AT_MOST = 200  # of it, in the name that it has meanwhile
STOP_SECONDS = 10  # the engine's own, where a container has none
POLL_SECONDS = 0.3
TRIES, AGAIN_SECONDS = 4, 0.4  # of each step that puts back: ports and names are set free a moment late


class Replacing:
    """Makes a container of `spec` in the place of `old` (its inspect answer), and starts it if `start`.

    Without a health check it has to run for `settle` seconds; with one it has to be healthy within `healthy_within`.
    Steps: 1. create the new one under a name of its own, 2. stop the old one, 3. exchange the names, 4. start the new
    one and see it well, 5. remove the old one. Until 2 nothing has happened to the old one.
    """

    def __init__(
        self,
        context: JobContext,
        host: Host,
        old: dict[str, Any],
        spec: ContainerSpec,
        *,
        start: bool,
        settle: float,
        healthy_within: float,
    ) -> None:
        self.context, self.host, self.old = context, host, old
        self.old_id = str(old.get("Id") or "")
        self.old_name = str(old.get("Name") or "").removeprefix("/")
        self.name = spec.name or self.old_name
        self.aside = f"{self.old_name[:NAME_AT_MOST]}{ASIDE}{context.job.pk}"
        spec.name = f"{self.old_name[:NAME_AT_MOST]}{COMING}{context.job.pk}"
        self.making = Making(context, host, spec)
        self.making.had = volumes_of(old)
        self.making.asking.replaces = self.old_id
        self.asking, self.undoing = self.making.asking, self.making.undoing
        self.start, self.settle, self.healthy_within = start, settle, healthy_within
        state = old.get("State") or {}
        self.ran, self.paused = bool(state.get("Running")), bool(state.get("Paused"))
        self.along: dict[str, str] = {}  # what was made anew with it: the old one's short id -> the new one's id
        self._stopping = False  # asked for, and no answer came yet
        self._over = False  # the old one is gone: there is nothing to put back

    @property
    def new_id(self) -> str:
        """Of the container that was made."""
        return self.making.id

    @property
    def outcome(self) -> dict[str, Any]:
        """Of the job: which one took the place of which."""
        along = {"along": self.along} if self.along else {}
        return {"id": self.new_id, "name": self.name, "replaced": self.old_id, **along}

    # ------------------------------------------------------------ the way there
    def replace(self, before_removal: Callable[[], None] = lambda: None) -> None:
        """All steps; `before_removal` runs when the new one is well. Raises what failed, after it was put back."""
        with self._put_back_if_it_fails():
            self._is_free()
            self.context.note({"left": [self._plainly()]})
            self.making.create()
            self._stop()
            self._rename(self.old_id, self.aside)
            self._rename(self.new_id, self.name)
            if self.start:
                self.making.start()
                self._see_it_well()
            before_removal()
            self.context.check_cancelled()
            self.context.note({**self.outcome, "left": [self._plainly()]})  # pages of the old one lead to the new one
            self._remove_old()

    def _plainly(self) -> str:
        """What to do when the worker dies before the end."""
        words = {"name": self.old_name, "aside": self.aside, "new": self.making.spec.name, "host": self.host.name}
        return (
            _(
                "On %(host)s, %(name)s may be stopped, or be called %(aside)s now, with a half-made %(new)s beside it. "
                "Open the page of the one with the long name: “Put back” makes all as it was."
            )
            % words
        )

    def _is_free(self) -> None:
        if self.name != self.old_name and self.asking.container(self.name) is not None:
            sentence = gettext_noop("%(host)s has a container called %(name)s already. Choose another name.")
            raise Failure("name_taken", 409, sentence, {"host": self.host.name, "name": self.name})

    def _stop(self) -> None:
        if not self.ran:
            return
        self.context.progress(0.91, _("Stopping the old one"), now=True)
        if self.paused:
            self.asking.ask("POST", f"/containers/{self.old_id}/unpause")
        wait = (self.old.get("Config") or {}).get("StopTimeout")
        wait = wait if isinstance(wait, int) else STOP_SECONDS
        self._stopping = True
        self.asking.ask("POST", f"/containers/{self.old_id}/stop", {"t": str(wait)}, seconds=max(0, wait) + 30)
        self._stopping = False

    def _rename(self, ref: str, name: str) -> None:
        self.asking.ask("POST", f"/containers/{ref}/rename", {"name": name})

    def _see_it_well(self) -> None:
        """Waits until it is healthy, or has run for a while. Raises Failure."""
        began = monotonic()
        while True:
            answer = self.asking.container(self.new_id) or {}
            state = answer.get("State") or {}
            health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or "none"
            words = {"name": self.name, "code": state.get("ExitCode"), "why": str(state.get("Error") or "")}
            if not state.get("Running") or state.get("Restarting") or answer.get("RestartCount"):
                sentence = gettext_noop("The new %(name)s ended, with exit code %(code)s, before it was well. %(why)s")
                self._show_log()
                raise Failure("new_ended", 409, sentence, words)
            if health == "unhealthy":
                self._show_log()
                raise Failure("new_unhealthy", 409, gettext_noop("The new %(name)s is unhealthy."), words)
            passed = monotonic() - began
            if health == "healthy" or (health == "none" and passed >= self.settle):
                return
            if health != "none" and passed >= self.healthy_within:
                words |= {"seconds": round(self.healthy_within)}
                sentence = gettext_noop("The new %(name)s was not healthy within %(seconds)s seconds.")
                self._show_log()
                raise Failure("new_not_healthy", 409, sentence, words)
            waits = _("Waiting until it is healthy") if health != "none" else _("Waiting whether it goes on running")
            self.context.progress(0.96, waits)
            self.context.pause(POLL_SECONDS)

    def _show_log(self) -> None:
        """The last lines of the new one go into the job's log: they are gone with it."""
        try:
            for line in async_to_sync(_last_lines)(self.host, self.new_id):
                self.context.log(f"{self.name}: {line}")
        except EngineError:
            return

    def _remove_old(self) -> None:
        self.context.progress(0.98, _("Removing the old one"), now=True)
        # its anonymous volumes stay: the new one has them
        self._tried(lambda: self.undoing.ask("DELETE", f"/containers/{self.old_id}", seconds=30))
        self._over = True

    # ------------------------------------------------------------ the way back
    @contextmanager
    def _put_back_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if not self._over:
                self._put_back()
            raise

    def _put_back(self) -> None:
        """Looks at what is there, and makes it as it was."""
        words = {"name": self.old_name, "aside": self.aside, "host": self.host.name}
        try:
            old = self._tried(lambda: self.undoing.container(self.old_id))
            if old is None or (old.get("State") or {}).get("Status") in {"dead", "removing"}:
                self.context.leaves(_("The old %(name)s on %(host)s is gone; the new one stays.") % words)
                return
            self.making.take_back()
            if str(old.get("Name") or "").removeprefix("/") != self.old_name:
                again = {"name": self.old_name}
                self._tried(lambda: self.undoing.ask("POST", f"/containers/{self.old_id}/rename", again))
            if self.ran:
                self._start_again()
            self.context.log(_("%(name)s is as it was before.") % words)
        except EngineError as error:
            sentence = _("%(name)s on %(host)s could not be put back: %(why)s It may be called %(aside)s now.")
            self.context.leaves(sentence % {**words, "why": error})

    def _start_again(self) -> None:
        path = f"/containers/{self.old_id}"
        if self._stopping:  # the engine goes on with that although nobody listens: started now, it would end again
            self._tried(lambda: self.undoing.ask("POST", f"{path}/stop", {"t": "1"}, seconds=20))
        if not ((self.undoing.container(self.old_id) or {}).get("State") or {}).get("Running"):
            self._tried(lambda: self.undoing.ask("POST", f"{path}/start"))
        if self.paused:
            self._tried(lambda: self.undoing.ask("POST", f"{path}/pause"))

    def _tried(self, step: Callable[[], Any]) -> Any:
        """Does a step, more than once where it fails. Raises EngineError."""
        for left in reversed(range(TRIES)):
            try:
                return step()
            except EngineNotFound:
                return None
            except EngineError as error:
                # an engine that gives no answer will give none to the same question: who cancelled waits for this
                if not left or isinstance(error, TimedOut):
                    raise
                sleep(AGAIN_SECONDS)
        return None


async def _last_lines(host: Host, engine_id: str) -> list[str]:
    """The end of a container's log."""
    found = b""
    blocks = iter_log_download(Target(host.endpoint(), engine_id, host.api_version), LogQuery(str(LOG_LINES)))
    try:
        async with asyncio.timeout(LOG_SECONDS):
            async for block in blocks:
                found += block
                if len(found) > LOG_BYTES:
                    break
    except TimeoutError:
        pass
    finally:
        await blocks.aclose()
    return found.decode(errors="replace").splitlines()[-LOG_LINES:]
