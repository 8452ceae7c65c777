"""Images for tests, made without any registry: Debian's static busybox, and what is built on it."""

import io
import os
import shutil
import tarfile
from typing import Protocol

from tests.engines.commands import run_command
from tests.engines.run import Run

BUILDS = {
    # healthy while /healthy exists; `rm /healthy` by exec makes it unhealthy within 3 s
    "dermaga/web": """
FROM busybox
ENV SECRET_TOKEN=canary-value-4711
LABEL org.dermaga.test=1
EXPOSE 8080
RUN touch /healthy
HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD test -f /healthy && echo fine || \
    { echo the file is gone; exit 1; }
CMD ["sh", "-c", "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 8080 -h /www"]
""",
    "dermaga/stubborn": """
FROM busybox
CMD ["sh", "-c", "trap 'echo ignoring SIGTERM' TERM; while :; do sleep 1; done"]
""",
    # LIFE seconds, then EXIT
    "dermaga/crash": """
FROM busybox
CMD ["sh", "-c", "sleep ${LIFE:-0}; echo failing >&2; exit ${EXIT:-3}"]
""",
    "dermaga/talk": """
FROM busybox
CMD ["sh", "-c", "n=0; while :; do n=$((n+1)); echo line $n; echo trouble $n >&2; sleep ${PAUSE:-0.2}; done"]
""",
    # MEM megabytes of memory, SPIN turns of a busy loop between pauses of PAUSE seconds, 4 MB written to disk each
    "dermaga/load": """
FROM busybox
CMD ["sh", "-c", "dd if=/dev/zero of=/dev/shm/m bs=1M count=${MEM:-16} 2>/dev/null; while :; do \
    dd if=/dev/zero of=/w bs=1M count=4 2>/dev/null; i=0; while [ $i -lt ${SPIN:-20000} ]; do i=$((i+1)); done; \
    sleep ${PAUSE:-0.3}; done"]
""",
    "dermaga/noise": """
FROM busybox
COPY noise.sh /noise.sh
CMD ["sh", "/noise.sh"]
""",
}
# One round of every kind of line that a log view has to cope with. NOISE_SLEEP between rounds, NOISE_ROUNDS (0: for
# ever), NOISE_LONG=1 for a line of 1,000,000 bytes in each round, NOISE_EXIT the exit code.
NOISE = r"""
n=0
while :; do
  n=$((n+1))
  printf '\033[32mINFO\033[0m round %d \033[1;31mred bold\033[0m \033[48;5;27m256 colours\033[0m ' $n
  printf '\033[38;2;255;100;0mtruecolour\033[0m\n'
  printf '{"level":"error","msg":"json line %d","nested":{"a":[1,2,{"b":null}]},' $n
  printf '"html":"<script>alert(1)</script>"}\n'
  printf 'Traceback (most recent call last):\n  File "app.py", line 12, in <module>\n    main()\n' >&2
  printf '  File "app.py", line 7, in main\n    raise ValueError("boom")\nValueError: boom %d\n' $n >&2
  printf 'java.lang.IllegalStateException: round %d\n\tat com.example.A.b(A.java:10)\n' $n >&2
  printf 'Caused by: java.io.IOException: x\n\t... 2 more\n' >&2
  printf 'progress 10%%\rprogress 50%%\rprogress 100%%\n'
  printf 'no newline at the end of this write, '; printf 'the rest comes now\n'
  printf 'unicode: \303\244\303\266\303\274 \344\275\240\345\245\275 \360\237\220\263 \342\200\256rtl\342\200\254\n'
  printf 'binary: \000\001\002\377\376\200\201 invalid utf-8 \303( end\n'
  printf 'cursor: \033[2J\033[H\033]0;window title\007\033]8;;http://example.invalid\033\\link\033]8;;\033\\\n'
  printf '\n\n'
  if [ "${NOISE_LONG:-0}" = 1 ]; then head -c 1000000 /dev/zero | tr '\0' L; echo; fi
  if [ "${NOISE_ROUNDS:-0}" = $n ]; then exit "${NOISE_EXIT:-0}"; fi
  sleep "${NOISE_SLEEP:-1}"
done
"""
LAYERED = "dermaga/layers"


class Engine(Protocol):
    """What images are made on: a real engine with its command line."""

    run: Run

    def docker(self, *args: str, stdin: bytes = b"", timeout: float = 120) -> str: ...


def make_images(engine: Engine) -> None:
    """Puts all images on `engine`: built on the run's first engine, loaded from its archive on the others."""
    archive = engine.run.folder / "images.tar"
    if archive.exists():
        engine.docker("load", "-q", "-i", str(archive))
        return
    import_busybox(engine)
    for name, dockerfile in BUILDS.items():
        files = {"Dockerfile": dockerfile.encode(), "noise.sh": NOISE.encode()}
        engine.docker("build", "-q", "-t", name, "-", stdin=tar_of(files))
    unfinished = archive.with_suffix(".part")
    engine.docker("save", "-o", str(unfinished), "busybox", *BUILDS)
    unfinished.rename(archive)


def import_busybox(engine: Engine) -> None:
    """The image busybox:latest."""
    change = ["-c", 'CMD ["/bin/sh"]', "-c", "ENV PATH=/bin"]
    engine.docker("import", *change, "-", "busybox", stdin=root_file_system())


def make_layered(engine: Engine, name: str = LAYERED, *, layers: int = 4, megabytes: int = 2) -> str:
    """An image of `layers` layers of random bytes, which no compression shortens, for pulls that take a while."""
    files = {f"part{n}": os.urandom(megabytes << 20) for n in range(layers)}
    lines = ["FROM busybox", *(f"COPY {part} /{part}" for part in files)]
    files["Dockerfile"] = "\n".join(lines).encode()
    engine.docker("build", "-q", "-t", name, "-", stdin=tar_of(files))
    return name


def root_file_system() -> bytes:
    """A tar of a root file system with busybox alone."""
    busybox = shutil.which("busybox") or "/bin/busybox"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "var", "home"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        tar.add(os.path.realpath(busybox), "bin/busybox")
        for applet in run_command(busybox, "--list").split():
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        add_file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
        add_file(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    return out.getvalue()


def tar_of(files: dict[str, bytes]) -> bytes:
    """A build context."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            add_file(tar, name, content)
    return out.getvalue()


def add_file(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
