"""Requests of a job to an engine: each ends when the job is cancelled, and has a deadline of its own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hosts.actions.policing import police
from hosts.engine.answers import NotFound
from hosts.engine.calls import ANSWER_AT_MOST, Call
from hosts.engine.errors import EngineError
from hosts.models import Host
from hosts.quotas.requests import on_request
from jobs.run import JobContext

SECONDS = 60.0  # that one request may take, unless told otherwise


class Asking:
    """Asks one host's engine, in the name of `actor` or of who started the job. Without `context` nothing cancels it: for
    taking back what was done."""

    def __init__(self, host: Host, context: JobContext | None = None, actor: Any = None) -> None:
        self.host = host
        self.context = context
        self.actor = context.job.by if context else actor  # nobody is exempt from no policy
        self.team = context.job.team_id if context else None  # whose quota counts
        self.replaces = ""  # the id of the container whose part of the quota a new one has
        self.version = host.spoken_version
        self._call: Call | None = None
        if context:
            context.on_cancel(self._end)

    def _end(self) -> None:
        if self._call is not None:
            self._call.end()

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        version: str = "",
        seconds: float = SECONDS,
        at_most: int = ANSWER_AT_MOST,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The decoded answer. Raises EngineError, Cancelled when that is why it failed, PolicyRefused and QuotaExceeded."""
        if method == "GET":
            return self._send(method, path, params, body, version, seconds, at_most, headers)
        aside = Asking(self.host, self.context)
        police(self.actor, self.host, aside, method, path, params, body)
        with on_request(self.team, aside, method, path, params, body, self.replaces) as shown:
            answer = self._send(method, path, params, body, version, seconds, at_most, headers)
            shown.answered(answer)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Any,
        version: str,
        seconds: float,
        at_most: int,
        headers: Mapping[str, str] | None,
    ) -> Any:
        with Call(self.host.endpoint()) as call:
            self._call = call
            if self.context:
                self.context.check_cancelled()  # asked for before there was something to end
            try:
                spoken = version or self.version
                call.open(method, path, params, version=spoken, body=body, headers=headers, seconds=seconds)
                return call.read_json(seconds, at_most)
            except EngineError:
                if self.context:
                    self.context.check_cancelled()  # what was cut off by us did not fail
                raise

    def find(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The answer to a GET; None where there is no such thing."""
        try:
            return self.ask("GET", path, params, seconds=30)
        except NotFound:
            return None

    def container(self, ref: str) -> Any:
        """A container's inspect answer, or None."""
        return self.find(f"/containers/{quote(ref, safe='')}/json")

    def image(self, ref: str) -> Any:
        """An image's inspect answer, or None."""
        return self.find(f"/images/{quote(ref, safe='/:@')}/json")

    def untag(self, name: str) -> None:
        """Takes a name away from an image; with its last one it would be deleted."""
        self.ask("DELETE", f"/images/{quote(name, safe='/:@')}", {"noprune": "1"}, seconds=30)
