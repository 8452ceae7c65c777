"""Which versions of the engines are installed, for the report's header."""

import re

from tests.engines.commands import CommandFailed, run_command

PROGRAMS = {"Docker": "dockerd", "docker command line": "docker", "Podman": "podman", "registry": "docker-registry"}


def installed() -> list[str]:
    """Names with versions, as in "Podman 4.3.1"."""
    return [f"{name} {version(program)}" for name, program in PROGRAMS.items()]


def version(program: str) -> str:
    """What `PROGRAM --version` says; "?" when it cannot be run."""
    try:
        said = run_command(program, "--version", timeout=10)
    except (CommandFailed, OSError):
        return "?"
    found = re.search(r"\d+\.\d+[\w.+~-]*", said)
    return found[0] if found else "?"
