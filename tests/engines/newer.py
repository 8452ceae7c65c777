"""Newer engines than the machine's own: Debian's packages of a later release, unpacked and not installed.

Their binaries need no newer C library than bookworm's, except runc: the machine's own is used.
    DockerEngine("new", tcp=True, bin_dir=fetch("trixie"))
"""

import os
import shutil
from pathlib import Path

from tests.engines.commands import run_command
from tests.engines.run import Run, current

PACKAGES = ["docker.io", "containerd", "docker-cli"]
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CACHE = Path(os.environ.get("DERMAGA_TEST_ENGINES") or Path.home() / ".cache/dermaga-tests")


def fetch(suite: str, run: Run | None = None) -> Path:
    """A folder with the engine of a Debian suite ("trixie": 26.1, "sid"), for `bin_dir`.

    Downloaded once, some 100 MB, and kept in CACHE; raises CommandFailed with apt's words.
    """
    kept = CACHE / suite
    if (kept / "usr/sbin/dockerd").exists():
        return kept
    work = (run or current()).folder / f"fetch-{suite}"
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
    run_command(*apt, "download", *PACKAGES, cwd=str(work), timeout=600)
    for package in sorted(work.glob("*.deb")):
        run_command("dpkg", "-x", str(package), f"{work}/root")
    CACHE.mkdir(parents=True, exist_ok=True)
    shutil.move(work / "root", kept)
    shutil.rmtree(work)
    return kept


def mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for line in (line for file in files if file.is_file() for line in file.read_text().splitlines()):
        for word in line.split() if line.startswith(("deb ", "URIs:")) else []:
            if "://" in word and "security" not in word:
                return word.rstrip("/")
    return "http://deb.debian.org/debian"
