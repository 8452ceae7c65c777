"""Building an image by the engine's classic builder, which every engine has: output, steps, and an end to it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from hosts.engine import pulls
from hosts.engine.answers import BuildFailed
from hosts.engine.calls import Call
from hosts.engine.errors import ConnectionLost, EngineError, OtherPlatform
from hosts.engine.refusals import refusal

SILENCE_SECONDS = 3600.0  # a compiler may say nothing for long
STEP = re.compile(r"(?i)STEP (\d+)/(\d+) ?: ?(.*)")
FROM = re.compile(r"(?i)STEP \d+/\d+ ?: ?FROM (?:--\S+ )*(?P<image>\S+)(?: AS \S+)?")
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
LINE_AT_MOST = 8000


class Output:
    """What a builder tells: whole lines, the step it is at, the image it has made. `users`: who logs in, by the address
    of a registry."""

    def __init__(
        self, log: Callable[[str], None], report: Callable[[float, str], None], users: Mapping[str, str] | None = None
    ) -> None:
        self._users = users or {}
        self.step = ""
        self.image = ""
        self._log, self._report = log, report
        self._rest = ""

    def take(self, event: dict[str, Any], where: str) -> None:
        """Takes an event. Raises BuildFailed, which names the step, or what a registry said to FROM."""
        if event.get("error"):
            self.end()
            raise self._failed(str(event["error"]), where)
        aux = event.get("aux")
        if isinstance(aux, dict) and aux.get("ID"):
            self.image = str(aux["ID"])[:100]
        status = event.get("status")
        if isinstance(status, str) and not event.get("progressDetail"):
            self._line(f"{event['id']}: {status}" if event.get("id") else status)
        *lines, self._rest = (self._rest + str(event.get("stream") or "")).split("\n")
        for line in lines:
            self._line(line)
        self._rest = self._rest[:LINE_AT_MOST]

    def _failed(self, words: str, where: str) -> EngineError:
        error = BuildFailed(words, where=where, step=self.step or "-")
        found = FROM.fullmatch(self.step)
        if not found:
            return error
        name = found["image"]
        first = name.partition("/")[0]
        address = first if "." in first or ":" in first or first == "localhost" else "docker.io"
        return refusal(error, name, where, registry=address, user=self._users.get(address, ""))

    def end(self) -> None:
        """No more comes."""
        self._line(self._rest)
        self._rest = ""

    def _line(self, line: str) -> None:
        line = ANSI.sub("", line.rpartition("\r")[2] if not line.endswith("\r") else line).rstrip()[:LINE_AT_MOST]
        if not line:
            return
        if found := STEP.match(line):
            self.step = line[:300]
            number, of = int(found[1]), max(1, int(found[2]))
            self._report(min(1.0, (number - 1) / of), self.step)
        self._log(line)


def build(
    call: Call,
    query: Sequence[tuple[str, str]],
    context: Iterable[bytes] | None,
    output: Output,
    *,
    version: str,
    headers: dict[str, str] | None = None,
) -> str:
    """Builds and gives the image's id. `context` None: the query names a `remote`. Raises EngineError."""
    path = f"/build?{urlencode(query)}"
    call.open("POST", path, version=version, blocks=context, headers=headers, seconds=SILENCE_SECONDS)
    for event in call.read_events(SILENCE_SECONDS):
        output.take(event, call.endpoint.address)
    output.end()
    if not output.image:
        raise ConnectionLost("the build ended without a result", where=call.endpoint.address)
    wanted = dict(query).get("platform", "")
    found = pulls.platform_of(call.endpoint, output.image, version) if wanted else ""
    if wanted and not pulls.is_platform(
        found, wanted
    ):  # Docker before 23 takes what it has for another one, without a word
        raise OtherPlatform(where=call.endpoint.address, found=found, wanted=wanted)
    return output.image
