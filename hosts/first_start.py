"""What the first start makes: the admin, and the local engine as a host."""

import os
import secrets
import socket
import stat
from pathlib import Path

from django.conf import settings

from accounts.models import User
from accounts.rights import SYSTEM, Role
from hosts.actions.registries import registries
from hosts.actions.system import hosts
from hosts.models import Host

DEFAULT_SOCKET = "/var/run/docker.sock"


def first_start() -> list[str]:
    """Makes what is missing; returns the lines to print, the admin's password among them when one was made."""
    lines: list[str] = []
    if not User.objects.exists():
        given = settings.DERMAGA_ADMIN_PASSWORD
        password = given or secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password, role=Role.ADMIN)
        if given:
            lines.append("The first account is admin, with the password from DERMAGA_ADMIN_PASSWORD.")
        else:
            lines.append(
                f"The first account is admin, its password {password}  (shown only now; change it after login)"
            )
        lines += add_local_host()
    registries.add_hub(SYSTEM)
    lines += socket_warning()
    return lines


def add_local_host() -> list[str]:
    """Registers DOCKER_HOST, or the usual socket when it is there, as the host `local`."""
    url = settings.DOCKER_HOST or (f"unix://{DEFAULT_SOCKET}" if Path(DEFAULT_SOCKET).exists() else "")
    if not url or Host.objects.exists():
        return []
    from hosts.engine.endpoint import EndpointError, parse_url

    try:
        parsed = parse_url(url)
    except EndpointError as error:
        return [f"DOCKER_HOST={url} is not used: {error}"]
    if parsed.kind == "ssh":
        return [f"DOCKER_HOST={url} needs a key: add it on the page Hosts."]
    folder = os.environ.get("DOCKER_CERT_PATH", "")
    if parsed.kind != "unix" and os.environ.get("DOCKER_TLS_VERIFY") and folder:
        files = {name: (Path(folder) / f"{name}.pem").read_text() for name in ("ca", "cert", "key")}
        local = Host(
            name="local", url=parsed.url, kind="tls", tls_ca=files["ca"], tls_cert=files["cert"], tls_key=files["key"]
        )
    else:
        local = Host(name="local", url=parsed.url, kind=parsed.kind)
    hosts.add(SYSTEM, local)
    return [f"The engine at {url} is the host local."]


def socket_warning() -> list[str]:
    """One sentence for each unix socket that is there but closed to this user."""
    lines = []
    for host in Host.objects.filter(kind="unix", enabled=True):
        path = Path(host.url.removeprefix("unix://"))
        try:
            is_socket = stat.S_ISSOCK(path.stat().st_mode)
        except OSError:
            continue
        if is_socket and not _may_connect(path):
            lines.append(
                f"This user may not use {path} (host {host.name}): join its group, "
                f"for Docker `sudo usermod -aG docker $USER`, log in again, and start again."
            )
    return lines


def _may_connect(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except PermissionError:
            return False
        except OSError:
            return True  # something else: the host's state says it
    return True
