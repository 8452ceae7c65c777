"""A Debian as an image, as a registry would have it: made by debootstrap, with what makes this machine's package
registries reachable."""

import shutil
from pathlib import Path

from tests.engines.commands import run_command
from tests.engines.docker_engine import DockerEngine
from tests.engines.newer import CACHE, mirror

SUITE = "bookworm"
OF_THE_MACHINE = ("/etc/pip.conf", "/etc/npmrc", "/etc/apt/sources.list")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATES = "/etc/ssl/of-the-machine.crt"  # the bundle itself is made anew when its package is updated
KNOWN_BY = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")


def make_debian(engine: DockerEngine, name: str = "debian:12-slim") -> str:
    """The image `name`. The system is made once, some 150 MB, and kept in CACHE; raises CommandFailed."""
    archive = CACHE / f"{SUITE}.tar"
    if not archive.exists():
        _make(archive, engine.run.folder / "debian")
    changes = [part for key in KNOWN_BY for part in ("-c", f"ENV {key}={CERTIFICATES}")]
    engine.docker("import", *changes, str(archive), name, timeout=300)
    return name


def _make(archive: Path, folder: Path) -> None:
    run_command(
        "debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(folder), mirror(), timeout=600
    )
    for file in map(Path, OF_THE_MACHINE):
        if file.is_file():
            shutil.copy(file, folder / file.relative_to("/"))
    shutil.copy(BUNDLE, folder / CERTIFICATES.lstrip("/"))
    for pattern in ("sources.list.d/*", "apt.conf.d/99*"):
        for file in Path("/etc/apt").glob(pattern):
            shutil.copy(file, folder / file.relative_to("/"))
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(f".{folder.parent.name}")
    run_command(
        "tar", "-C", str(folder), "-cf", str(unfinished), "--exclude=./var/cache/apt/archives/*.deb", ".", timeout=300
    )
    unfinished.rename(archive)
    shutil.rmtree(folder)
