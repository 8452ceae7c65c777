"""Newer engines than the machine's own: Debian's packages of a later release, unpacked and not installed.

Docker's binaries need no newer C library than bookworm's, except runc: the machine's own is used. Podman's do: they are
made to load the unpacked one.
    DockerEngine("new", tcp=True, bin_dir=fetch("trixie"))
    PodmanEngine("new", tcp=True, bin_dir=fetch_podman("trixie"))
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.engines.commands import run_command
from tests.engines.run import Run, current

DOCKER = ("docker.io", "containerd", "docker-cli")
PODMAN = ("podman", "netavark", "aardvark-dns", "libc6", "libsubid5", "libgpgme11t64", "libassuan9", "libgpg-error0")
LOADED = ("usr/bin/podman", "usr/lib/podman/netavark", "usr/lib/podman/aardvark-dns")  # by the unpacked C library
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CACHE = Path(os.environ.get("DERMAGA_TEST_ENGINES") or Path.home() / ".cache/dermaga-tests")


def fetch(suite: str, run: Run | None = None) -> Path:
    """A folder with the Docker engine of a Debian suite ("trixie": 26.1, "sid": 28 or newer), for `bin_dir`.

    Downloaded once, some 100 MB, and kept in CACHE; raises CommandFailed with apt's words.
    """
    return _fetched(suite, CACHE / suite, DOCKER, run)


def fetch_podman(suite: str, run: Run | None = None) -> Path:
    """The same with Podman ("trixie": 5.4), some 40 MB; its binaries belong to the folder's place."""
    return _fetched(suite, CACHE / f"{suite}-podman", PODMAN, run, prepare=_load_unpacked)


def _fetched(
    suite: str, kept: Path, packages: tuple[str, ...], run: Run | None, prepare: Callable[[Path], None] | None = None
) -> Path:
    if kept.exists():
        return kept
    work = (run or current()).folder / f"fetch-{kept.name}"
    for folder in ("lists/partial", "archives/partial", "root"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": f"{work}/sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": f"{work}/lists",
        "Dir::Cache": str(work),
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(part for key, value in options.items() for part in ("-o", f"{key}={value}"))]
    run_command(*apt, "update", timeout=300)
    run_command(*apt, "download", *packages, cwd=str(work), timeout=600)
    for package in sorted(work.glob("*.deb")):
        run_command("dpkg", "-x", str(package), f"{work}/root")
    CACHE.mkdir(parents=True, exist_ok=True)
    # whole or not at all, also when two workers fetch the same
    ready = Path(tempfile.mkdtemp(dir=CACHE)) / kept.name
    shutil.move(work / "root", ready)
    if prepare:
        prepare(ready)
    with suppress(OSError):  # the other worker's is there
        ready.rename(kept)
    shutil.rmtree(ready.parent)
    shutil.rmtree(work)
    return kept


def _load_unpacked(root: Path) -> None:
    """Makes the binaries find the C library beside them, in the folder that `root` will be."""
    place = CACHE / root.name
    for binary in LOADED:
        loader, libraries = place / "usr/lib64/ld-linux-x86-64.so.2", place / "usr/lib/x86_64-linux-gnu"
        how = ("--force-rpath", "--set-interpreter", str(loader), "--set-rpath", str(libraries))
        run_command("patchelf", *how, str(root / binary))


def mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for line in (line for file in files if file.is_file() for line in file.read_text().splitlines()):
        for word in line.split() if line.startswith(("deb ", "URIs:")) else []:
            if "://" in word and "security" not in word:
                return word.rstrip("/")
    return "http://deb.debian.org/debian"
