"""A managed volume plugin of the tests' own: a static server of a few lines that answers what an engine asks."""

import io
import json
import tarfile
import tempfile
from pathlib import Path
from uuid import uuid4

from tests.engines.commands import run_command
from tests.engines.images import Engine, add_file
from tests.engines.run import Run

SOURCE = r"""
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_un at = {AF_UNIX, "/run/docker/plugins/quay.sock"};
  const char *body = "{\"Implements\":[\"VolumeDriver\"],\"Err\":\"\",\"Volumes\":[],\"Capabilities\":{\"Scope\":\"local\"}}";
  int door = socket(AF_UNIX, SOCK_STREAM, 0);
  signal(SIGTERM, _exit);  /* the first process of a container ends by no signal that it does not ask for */
  unlink(at.sun_path);
  if (bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 8)) return 1;
  for (;;) {
    char asked[65536];
    int one = accept(door, 0, 0);
    if (one < 0) continue;
    while (read(one, asked, sizeof asked) > 0 && !strstr(asked, "\r\n\r\n")) ;
    dprintf(one, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.plugins.v1+json\r\n"
      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(body), body);
    close(one);
  }
}
"""
FOLDERS = ("run", "run/docker", "run/docker/plugins", "data", "proc", "sys", "dev", "tmp", "etc")


def binary(run: Run) -> bytes:
    """The server, compiled once a run."""
    made = run.folder / "plugin-server"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=run.folder) as folder:
            (Path(folder) / "server.c").write_text(SOURCE)
            run_command("gcc", "-static", "-O1", "-w", "-o", f"{folder}/server", f"{folder}/server.c")
            (Path(folder) / "server").rename(made)
    return made.read_bytes()


def config(**more: object) -> dict[str, object]:
    """Its config.json."""
    return {
        "description": "Volumes of the tests",
        "documentation": "https://example.org/quay",
        "entrypoint": ["/server"],
        "interface": {"types": ["docker.volumedriver/1.0"], "socket": "quay.sock"},
        "network": {"type": "none"},
        "env": [
            {"name": "DEBUG", "description": "says more", "settable": ["value"], "value": "0"},
            {"name": "FIXED", "value": "1"},
        ],
        **more,
    }


def plugin_tar(run: Run, **more: object) -> bytes:
    """config.json and rootfs/, each time another one: an engine refuses the same root file system twice."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        add_file(tar, "config.json", json.dumps(config(**more)).encode())
        for name in ("rootfs", *(f"rootfs/{folder}" for folder in FOLDERS)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        server = tarfile.TarInfo("rootfs/server")
        content = binary(run)
        server.size, server.mode = len(content), 0o755
        tar.addfile(server, io.BytesIO(content))
        add_file(tar, "rootfs/etc/which", uuid4().hex.encode())
    return out.getvalue()


def push_plugin(engine: Engine, reference: str, **more: object) -> None:
    """Makes a plugin on `engine`, pushes it as `reference` (registry/name:tag), and removes it there."""
    with tempfile.TemporaryDirectory(dir=engine.run.folder) as folder:
        with tarfile.open(fileobj=io.BytesIO(plugin_tar(engine.run, **more))) as tar:
            tar.extractall(folder, filter="data")
        engine.docker("plugin", "create", reference, folder)
    engine.docker("plugin", "push", reference)
    engine.docker("plugin", "rm", reference)
