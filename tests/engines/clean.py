"""Removes everything a run of the tests made, found by names and marks alone: nothing of that run needs to be alive."""

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tests.engines import network
from tests.engines.commands import CommandFailed, run_command

MARK = "DERMAGA_TEST_RUN"  # in the environment of every process that a run starts
CGROUPS = Path("/sys/fs/cgroup")


def folder(slot: int) -> Path:
    """Where the run keeps everything. Short, because paths of sockets may have 107 bytes at most."""
    return Path(tempfile.gettempdir()) / f"dt-{slot}"


def lock_file(slot: int) -> Path:
    return Path(tempfile.gettempdir()) / f"dermaga-tests-{slot}.lock"


def cgroup(slot: int) -> str:
    """The cgroup that the containers of the run's engines are put in."""
    return f"dermaga-tests-{slot}"


def leftover_slots() -> set[int]:
    """Numbers of runs that have something on this machine: lock, folder, namespace or link."""
    temp = Path(tempfile.gettempdir())
    names = [path.name for path in [*temp.glob("dt-*"), *temp.glob("dermaga-tests-*.lock")]]
    names += [path.name for path in Path("/sys/class/net").iterdir()]
    if network.NAMESPACES.is_dir():
        names += [path.name for path in network.NAMESPACES.iterdir()]
    pattern = re.compile(r"(?:dt-|dermaga-tests-|dt)(\d+)(?:|\.lock|br|v\d+|-.*)")
    return {int(match[1]) for name in names if (match := pattern.fullmatch(name))}


def clean(slot: int) -> None:
    """Kills the run's processes, then removes its rules, namespaces, links, mounts, cgroups and folder."""
    for rule in network.rules(slot):
        network.delete_rule(rule)
    kill_all(slot)
    for space in network.namespaces(slot):
        with suppress(CommandFailed):
            run_command("ip", "netns", "delete", space.name)
    for link in network.links(slot):
        with suppress(CommandFailed):
            run_command("ip", "link", "delete", link)
    for mount in mounts_below(folder(slot)):
        with suppress(CommandFailed):
            run_command("umount", "-l", mount)
    remove_cgroups(slot)
    remove_shared_memory(slot)
    shutil.rmtree(folder(slot), ignore_errors=True)


def kill_all(slot: int) -> None:
    """Kills every process of the run."""
    kill_until_none(lambda: pids_of(slot))


def kill_until_none(find: Callable[[], set[int]], seconds: float = 15) -> None:
    """SIGKILL to all that `find` gives, again until it gives none: a shim may have started another meanwhile."""
    deadline = time.monotonic() + seconds
    while (pids := find()) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def pids_inside(path: Path, space: Path) -> set[int]:
    """Processes with a mount of folder `path` in a mount namespace of their own, or in the network namespace `space`."""
    spaces = {os.stat(space).st_ino} if space.exists() else set()
    return {
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and parent_of(int(entry.name)) is not None
        and (has_mount(entry, path) or in_namespace(entry, spaces))
    }


def pids_of(slot: int) -> set[int]:
    """Processes of the run, except this one and those above it.

    Found by the mark in their environment (daemons, shims), by their network namespace (sshd's sessions), by a mount of
    the run's folder in a mount namespace that is not ours (containers), by cgroup, by what `spawn` wrote down
    (PostgreSQL and Redis overwrite their environment), and by descent from any of these.
    """
    spaces = {os.stat(path).st_ino for path in network.namespaces(slot)}
    parents: dict[int, int] = {}
    found = recorded(slot) | in_cgroup(slot)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := parent_of(int(entry.name))) is not None:
            pid = int(entry.name)
            parents[pid] = parent
            if has_mark(entry, slot) or in_namespace(entry, spaces) or has_mount(entry, folder(slot)):
                found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - own_line(parents)


def own_line(parents: dict[int, int]) -> set[int]:
    """This process and those it descends from."""
    line, pid = {1}, os.getpid()
    while pid and pid not in line:
        line.add(pid)
        pid = parents.get(pid, 0)
    return line


def parent_of(pid: int) -> int | None:
    """None when the process has ended (a zombie included)."""
    with suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[1])
    return None


def start_time(pid: int) -> str:
    """The kernel's start time of a process: with the number it names a process for ever. "" when it has ended."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def recorded(slot: int) -> set[int]:
    """Processes that `Run.spawn` wrote down and that are still the same."""
    found = set()
    for path in (folder(slot) / "pids").glob("*"):
        with suppress(OSError):
            if path.read_text() == start_time(int(path.name)) and parent_of(int(path.name)) is not None:
                found.add(int(path.name))
    return found


def has_mark(process: Path, slot: int) -> bool:
    with suppress(OSError):
        return f"{MARK}={slot}".encode() in (process / "environ").read_bytes().split(b"\0")
    return False


def in_namespace(process: Path, spaces: Iterable[int]) -> bool:
    with suppress(OSError):
        return os.stat(process / "ns/net").st_ino in spaces
    return False


def has_mount(process: Path, path: Path) -> bool:
    with suppress(OSError):
        if os.stat(process / "ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino:
            return f"{path}/" in (process / "mountinfo").read_text(errors="replace")
    return False


def in_cgroup(slot: int) -> set[int]:
    found = set()
    for top in cgroup_folders(slot):
        for procs in [top / "cgroup.procs", *top.rglob("cgroup.procs")]:
            with suppress(OSError):
                found |= {int(line) for line in procs.read_text().split()}
    return found


def cgroup_folders(slot: int) -> list[Path]:
    """The run's cgroup in each hierarchy (v1 has one for each controller)."""
    return [path for path in [CGROUPS / cgroup(slot), *CGROUPS.glob(f"*/{cgroup(slot)}")] if path.is_dir()]


def remove_cgroups(slot: int) -> None:
    for top in cgroup_folders(slot):
        inner = sorted((path for path in top.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
        for path in [*inner, top]:
            with suppress(OSError):
                path.rmdir()


def remove_shared_memory(slot: int) -> None:
    """The segment by which a PostgreSQL notices another one on its data: a killed one leaves it."""
    for file in folder(slot).glob("postgres-*/data/postmaster.pid"):
        with suppress(CommandFailed, IndexError, OSError):
            run_command("ipcrm", "-m", file.read_text().splitlines()[6].split()[1])


def mounts_below(path: Path) -> list[str]:
    """Mount points of this mount namespace in `path`, the deepest first."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return sorted((point for point in points if point.startswith(f"{path}/")), reverse=True)
