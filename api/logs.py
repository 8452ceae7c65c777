"""Which part of a log is asked for, of a container, a service or a task."""

from ninja import Schema

from hosts.actions.containers.looks import LogRange


class LogPart(Schema):
    """`since` and `until` are RFC 3339 or seconds since 1970, `tail` a number of lines, `format` text (as `docker logs`
    prints it) or ndjson ({"stream", "time", "text"} a line)."""

    since: str = ""
    until: str = ""
    tail: str = "all"
    stdout: str = "1"
    stderr: str = "1"
    timestamps: str = "0"
    format: str = "text"

    @property
    def range(self) -> LogRange:
        """Raises Invalid."""
        return LogRange.of(self.dict())
