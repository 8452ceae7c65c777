"""Images for tests, made without any registry: Debian's static busybox, and what is built on it."""

import io
import os
import shutil
import tarfile

from tests.engines.docker_engine import DockerEngine

BUILDS = {
    "dermaga/web": """
FROM busybox
ENV SECRET_TOKEN=canary-value-4711
LABEL org.dermaga.test=1
EXPOSE 8080
RUN touch /healthy
HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD test -f /healthy && echo fine || { echo the file is gone; exit 1; }
CMD ["sh", "-c", "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 8080 -h /www"]
""",
    "dermaga/stubborn": """
FROM busybox
CMD ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
""",
    "dermaga/crash": """
FROM busybox
CMD ["sh", "-c", "echo failing >&2; exit 3"]
""",
    "dermaga/talk": """
FROM busybox
CMD ["sh", "-c", "n=0; while :; do n=$((n+1)); echo line $n; echo trouble $n >&2; sleep 0.2; done"]
""",
}


def root_file_system() -> bytes:
    """A tar of a root file system with busybox alone."""
    busybox = shutil.which("busybox") or "/bin/busybox"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "var"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        tar.add(os.path.realpath(busybox), "bin/busybox")
        for applet in os.popen(f"{busybox} --list").read().split():
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        passwd = b"root:x:0:0:root:/root:/bin/sh\n"
        info = tarfile.TarInfo("etc/passwd")
        info.size = len(passwd)
        tar.addfile(info, io.BytesIO(passwd))
    return out.getvalue()


def make_images(engine: DockerEngine) -> None:
    """Makes all of them on `engine`."""
    change = ["-c", 'CMD ["/bin/sh"]', "-c", "ENV PATH=/bin"]
    engine.docker("import", *change, "-", "busybox", stdin=root_file_system())
    for name, dockerfile in BUILDS.items():
        engine.docker("build", "-q", "-t", name, "-", stdin=dockerfile.encode())
