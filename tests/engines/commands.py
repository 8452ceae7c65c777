"""Running command lines, and waiting for things that other processes do."""

import os
import pwd
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class CommandFailed(Exception):
    """A command line that the harness or a test ran did not exit with 0."""

    def __init__(self, args: Sequence[str], code: int, output: str) -> None:
        self.code = code
        self.output = output.strip()
        super().__init__(f"`{' '.join(args)}` exited with {code}: {self.output[-2000:]}")


class TimedOut(Exception):
    """Something that was waited for did not happen."""


def as_user(name: str | None) -> dict[str, Any]:
    """Arguments for `subprocess` that run a command as another user, without root's groups; {} for None."""
    if name is None:
        return {}
    person = pwd.getpwnam(name)
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def run_command(
    *args: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    user: str | None = None,
    timeout: float = 120,
) -> str:
    """Runs `args` and gives its standard output; raises CommandFailed with what it said on standard error."""
    done = subprocess.run(args, input=stdin, capture_output=True, env=env, cwd=cwd, timeout=timeout, **as_user(user))
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace")
        raise CommandFailed(args, done.returncode, said)
    return done.stdout.decode(errors="replace")


def wait_until(
    true: Callable[[], object],
    what: str,
    seconds: float = 30,
    every: float = 0.05,
    explain: Callable[[], str] = str,
) -> None:
    """Asks `true()` again and again until it is; raises TimedOut with `what` and `explain()` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimedOut(f"Waited {seconds:g} s in vain for {what}. {explain()}".strip())
        time.sleep(every)


def tail(path: str | os.PathLike[str], lines: int = 20) -> str:
    """The last lines of a log file; "" when there is none."""
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except FileNotFoundError:
        return ""
