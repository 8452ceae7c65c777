"""What may be asked of a build: each value is checked here, and a wrong one is said at its field."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts import options
from hosts.specs import kinds
from hosts.specs.check import INT64, is_address, wrong

DOCKERFILE_AT_MOST = 256 * 1024  # characters
FILES_AT_MOST, LINES_AT_MOST, VALUE_AT_MOST = 100, 100, 8000
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}")
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
FILE = re.compile(r"[^/\0\\]{1,255}")
HOST = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}")
MODE = re.compile(r"(?:container:)?[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")


def pairs(name: str, text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """NAME=value lines of the field `name`."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not pattern.fullmatch(key) or not equals or len(value) > VALUE_AT_MOST or "\0" in value:
            number = lines.index(line) + 1
            raise Invalid(name, gettext_noop("Write NAME=value on line %(n)s, one a line."), {"n": number})
        found[key] = value
    if len(lines) > LINES_AT_MOST:
        raise Invalid(name, gettext_noop("At most %(most)s lines."), {"most": LINES_AT_MOST})
    return found


def stage(text: str) -> str:
    """A stage of the Dockerfile; "" for the last."""
    if text.strip() and not TARGET.fullmatch(text.strip()):
        raise Invalid(
            "target", gettext_noop("This is no name of a stage: letters, digits, dots, dashes and underscores.")
        )
    return text.strip()


def references(text: str) -> list[str]:
    """Images whose layers are used as cache."""
    names = text.split()
    for name in names:
        if not options.REFERENCE.fullmatch(name) or len(names) > LINES_AT_MOST:
            raise Invalid("cache_from", gettext_noop("Write names of images, one a line: team/app:latest."))
    return names


def path(text: str) -> str:
    """Of the Dockerfile in a folder."""
    wanted = text.strip() or "Dockerfile"
    if wanted.startswith("/") or ".." in wanted.split("/") or not wanted.isprintable() or len(wanted) > 500:
        raise Invalid("path", gettext_noop("Write the Dockerfile's path inside the folder: docker/Dockerfile."))
    return wanted


def dockerfile(text: str) -> str:
    """What was typed, with the line ends that an engine knows."""
    if not text.strip() or len(text) > DOCKERFILE_AT_MOST or "\0" in text:
        raise Invalid(
            "dockerfile",
            gettext_noop("Write a Dockerfile of at most %(most)s characters."),
            {"most": DOCKERFILE_AT_MOST},
        )
    return text.replace("\r\n", "\n")


def beside(files: Sequence[Any]) -> list[tuple[str, Any]]:
    """Files that stand beside the Dockerfile, by name."""
    named = [(str(file.name), file) for file in files if file]
    if len(named) > FILES_AT_MOST:
        raise Invalid("files", gettext_noop("At most %(most)s files: send a tar instead."), {"most": FILES_AT_MOST})
    for name, _file in named:
        if not FILE.fullmatch(name) or name in {".", "..", "Dockerfile"}:
            raise Invalid("files", gettext_noop("A file cannot be called %(name)s here."), {"name": name[:100]})
    return named


def one_tar(files: Sequence[Any]) -> Any:
    """The one file that holds a folder."""
    found = [file for file in files if file]
    if len(found) != 1:
        raise Invalid("files", gettext_noop("Choose one file: a tar, or tar.gz, of the folder to build from."))
    return found[0]


def remote(text: str) -> str:
    """The address of a Git repository."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.path.endswith(".git")
    except ValueError:
        named = False
    if not named or len(address) > 1000 or not address.isprintable() or " " in address:
        raise Invalid(
            "remote", gettext_noop("Write the repository's address like https://example.com/app.git#branch:folder.")
        )
    return address


def network(text: str) -> str:
    """The network that RUN steps are in: none, host, container:NAME, or the name of one; "" for the engine's own."""
    wanted = text.strip()
    if wanted and not MODE.fullmatch(wanted):
        raise Invalid(
            "network", gettext_noop("Write none, host, container:NAME, or the name of a network that the host has.")
        )
    return wanted


def extra_hosts(text: str) -> list[str]:
    """name:address lines, which stand in /etc/hosts of RUN steps."""
    found = [kinds.read_host("extra_hosts", line) for line in text.split()]
    for entry in found:
        name, _colon, address = entry.partition(":")
        if not HOST.fullmatch(name) or not (is_address(address) or address == "host-gateway"):
            raise wrong("extra_hosts", gettext_noop("“%(value)s” is not name:address."), entry)
    if len(found) > LINES_AT_MOST:
        raise Invalid("extra_hosts", gettext_noop("At most %(most)s lines."), {"most": LINES_AT_MOST})
    return found


def shm_size(text: str) -> int:
    """Bytes of /dev/shm in RUN steps; 0 for the engine's own."""
    size = kinds.read_bytes("shm_size", text) if text.strip() else 0
    if not 0 <= size <= INT64:
        raise wrong("shm_size", gettext_noop("%(field)s: “%(value)s” is no size. Write one like 512m or 2g."), text)
    return size
