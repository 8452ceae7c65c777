"""Options of acts on containers, checked before a job is made of them or an engine hears them."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.engine import paths

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
NUMBER = re.compile(r"[0-9]{1,2}")
MODE = re.compile(r"[0-7]{3,4}")
SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "STOP", "CONT")
STOP_SECONDS_AT_MOST = 600


def check(options: Mapping[str, Any]) -> None:
    """Raises Invalid for an option that its act would refuse."""
    seconds(options.get("timeout"))
    signal(options.get("signal", "KILL"))


def seconds(timeout: int | None) -> int | None:
    """The time to stop; None is the container's own."""
    if timeout is not None and not 0 <= timeout <= STOP_SECONDS_AT_MOST:
        raise Invalid(
            "timeout", gettext_noop("The time to stop is 0 to %(most)s seconds."), {"most": STOP_SECONDS_AT_MOST}
        )
    return timeout


def signal(name: str) -> str:
    """A signal's name in capitals without SIG, or its number."""
    short = name.upper().removeprefix("SIG") or "KILL"
    if short not in SIGNALS and not (NUMBER.fullmatch(short) and 1 <= int(short) <= 64):
        raise Invalid(
            "signal",
            gettext_noop("%(signal)s is not a signal: use a name like TERM or HUP, or a number from 1 to 64."),
            {"signal": name[:40]},
        )
    return short


NOT_A_NAME = gettext_noop(
    "A container's name has 2 to 255 letters, digits, dots, dashes and underscores, and begins with a letter or digit."
)


def name(text: str) -> str:
    """A container's name, without the slash that engines put before it."""
    wanted = text.strip().removeprefix("/")
    if not NAME.fullmatch(wanted):
        raise Invalid("name", NOT_A_NAME)
    return wanted


def path(text: str, field: str = "path") -> str:
    """A path in a container: absolute, without `.` and `..`."""
    if not paths.is_plain(text):
        raise Invalid(field, gettext_noop("Its name has bytes that are no UTF-8, which no engine can be asked for."))
    try:
        return paths.absolute(text or "/")
    except ValueError as error:
        raise Invalid(
            field, gettext_noop("A path has at most %(most)s bytes."), {"most": paths.PATH_AT_MOST}
        ) from error


# ---------------------------------------------------------------- images
REFERENCE_AT_MOST = 400
# what the engine takes: [registry[:port]/]path[:tag][@digest]
REFERENCE = re.compile(
    r"(?P<name>(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def image_name(field: str, name: str) -> tuple[str, str]:
    """(repository, tag) of a name that an image is to get; the tag is `latest` when none is given. Raises Invalid."""
    found = REFERENCE.fullmatch(name.strip())
    if not found or found["digest"] or len(name) > REFERENCE_AT_MOST:
        raise Invalid(
            field, gettext_noop("This cannot be an image's name. Write name:tag, in lower case: team/app:1.2.")
        )
    return found["name"], found["tag"] or "latest"


PLATFORM = re.compile(r"[a-z0-9]{1,20}(?:/[a-z0-9_-]{1,20}(?:/[a-z0-9.]{1,10})?)?")


def platform(field: str, text: str) -> str:
    """os/architecture/variant, or one of them alone; "" for the engine's own. Raises Invalid."""
    wanted = text.strip().lower()
    if wanted and not PLATFORM.fullmatch(wanted):
        raise Invalid(field, gettext_noop("Write a platform like linux/arm64 or linux/arm/v7."))
    return wanted


def file_name(text: str, field: str = "name") -> str:
    """The name of one file."""
    if not paths.is_name(text):
        raise Invalid(
            field,
            gettext_noop("A file's name has 1 to %(most)s bytes, no slash, and is neither . nor .. alone."),
            {"most": paths.NAME_AT_MOST},
        )
    return text


def mode(text: str) -> int:
    """The twelve bits of a file's mode."""
    if not MODE.fullmatch(text.strip()):
        raise Invalid("mode", gettext_noop("A mode is three or four digits from 0 to 7, as 644, 0755 or 4755."))
    return int(text.strip(), 8)


CHANGES_AT_MOST, CHANGE_AT_MOST = 100, 4000
CONTINUED = re.compile(r"\\\s*\n")
INSTRUCTIONS = {"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "USER", "VOLUME", "WORKDIR"}


def changes(text: str) -> str:
    """Lines of a Dockerfile that a commit or an import takes, one instruction a line. Raises Invalid."""
    lines = [line.strip() for line in CONTINUED.sub(" ", text.replace("\r\n", "\n")).split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) > CHANGES_AT_MOST:
        raise Invalid("changes", gettext_noop("At most %(most)s changes."), {"most": CHANGES_AT_MOST})
    for line in lines:
        word, _space, rest = line.partition(" ")
        if word.upper() not in INSTRUCTIONS or not rest or len(line) > CHANGE_AT_MOST or "\0" in line:
            raise Invalid(
                "changes",
                gettext_noop("“%(line)s” cannot be changed by a commit. Write one instruction a line: %(known)s."),
                {"line": line[:60], "known": ", ".join(sorted(INSTRUCTIONS))},
            )
    return "\n".join(lines)
