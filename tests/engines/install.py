"""Installs what the tests need on Debian: `python -m tests.engines.install`. Does nothing when all of it is there."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Debian package -> a file that it brings: a command (looked up in PATH and the folders below) or a path.
# What each is for stands in tests/README or in the module that starts it.
NEEDED = {
    "docker.io": ["dockerd", "docker", "containerd"],
    "docker-registry": ["docker-registry"],
    "apache2-utils": ["htpasswd"],
    "busybox-static": ["busybox"],
    "iptables": ["iptables", "iptables-save"],
    "iproute2": ["ip"],
    "util-linux": ["nsenter", "unshare"],
    "openssl": ["openssl"],
    "openssh-server": ["sshd"],
    "curl": ["curl"],
    "openssh-client": ["ssh-keygen", "ssh"],
    "podman": ["podman"],
    "conmon": ["conmon"],
    "patchelf": ["patchelf"],
    "runc": ["runc"],
    "redis-server": ["redis-server"],
    "postgresql": ["/usr/lib/postgresql/*/bin/postgres"],
    "chromium": ["/usr/bin/chromium"],
    "fonts-dejavu-core": ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    "gettext": ["msgfmt"],
    "zstd": ["zstd"],
    "slapd": ["slapd", "slapadd"],
    "ldap-utils": ["ldapadd", "ldapwhoami"],
    "debootstrap": ["debootstrap"],
    "gcc": ["gcc"],
    "libc6-dev": ["/usr/include/stdio.h"],
    "ca-certificates": ["/etc/ssl/certs/ca-certificates.crt"],
}
FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
POLICY = Path("/usr/sbin/policy-rc.d")


def is_there(file: str) -> bool:
    if "/" in file:
        return any(Path("/").glob(file.lstrip("/")))
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    return shutil.which(file, path=path) is not None


def missing() -> list[str]:
    """Debian packages of which a file is not there."""
    return [package for package, files in NEEDED.items() if not all(map(is_there, files))]


def install() -> list[str]:
    """Installs what is missing and gives its names; raises SystemExit with a sentence where that is not possible."""
    packages = missing()
    if not packages:
        return []
    names = " ".join(packages)
    if os.geteuid() != 0:
        sys.exit(f"The tests need these Debian packages: {names}. Install them as root, then run the tests again.")
    if not shutil.which("apt-get"):
        sys.exit(f"The tests need what Debian calls {names}, and this machine has no apt-get: install them by hand.")
    with no_service_starts():
        apt("update")
        apt("install", "-y", "--no-install-recommends", *packages)
    if left := missing():
        sys.exit(f"apt-get installed {names}, but these still lack a file: {' '.join(left)}.")
    return packages


def apt(*args: str) -> None:
    done = subprocess.run(
        ["apt-get", "-q", *args],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        sys.exit(f"`apt-get {' '.join(args)}` failed, so the tests lack what they need. It said: {said[-2000:]}")


@contextmanager
def no_service_starts() -> Iterator[None]:
    """Debian starts a server when it is installed, unless /usr/sbin/policy-rc.d answers 101."""
    kept = None
    if POLICY.exists():
        kept = Path(tempfile.mkdtemp()) / POLICY.name
        shutil.copy2(POLICY, kept)
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if kept:
            shutil.copy2(kept, POLICY)
            shutil.rmtree(kept.parent)
        else:
            POLICY.unlink()


def main() -> None:
    if installed := install():
        print(f"Installed for the tests: {' '.join(installed)}")
    else:
        print("Everything that the tests need is installed.")


if __name__ == "__main__":
    main()
