"""What an image is built from, as a tar that is made while it is sent: nothing is unpacked here, nothing is held.

An engine leaves `.dockerignore` to whoever sends the files, so it is honoured here, by the docker SDK's own matcher.
"""

import io
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from docker.utils.build import PatternMatcher

from hosts.engine.errors import BadContext
from hosts.engine.sent_tars import UNPACKED_AT_MOST, open_tar

BLOCK = 256 * 1024
IGNORE = ".dockerignore"
IGNORE_AT_MOST = 1024 * 1024  # bytes
ENTRIES_AT_MOST = 500_000

Entry = tuple[tarfile.TarInfo, IO[bytes] | None]


def of_files(files: Sequence[tuple[str, bytes | Path]], dockerfile: str) -> Iterator[bytes]:
    """A context of single files. Raises BadContext."""
    ignore = next((content for name, content in files if name == IGNORE), b"")
    return _tar(_files(files), _matcher(ignore if isinstance(ignore, bytes) else _head(ignore), dockerfile))


def of_tar(place: Path, dockerfile: str) -> Iterator[bytes]:
    """A context that was sent as a tar, packed or not. Raises BadContext."""
    try:
        matcher = _matcher(_ignore_of(place), dockerfile)
        with open_tar(place) as tar:
            yield from _tar(((info, tar.extractfile(info) if info.isreg() else None) for info in tar), matcher)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise BadContext(error) from error


def _head(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(IGNORE_AT_MOST)


def _files(files: Iterable[tuple[str, bytes | Path]]) -> Iterator[Entry]:
    for name, content in files:
        info = tarfile.TarInfo(name)
        if isinstance(content, bytes):
            info.size = len(content)
            yield info, io.BytesIO(content)
        else:
            info.size = content.stat().st_size
            with content.open("rb") as file:
                yield info, file


def text_of(place: Path, name: str) -> str | None:
    """The text of one file of a tar; None where there is none, or it is large, or the tar is broken."""
    try:
        found = _content_of(place, posixpath.normpath(name))
    except (tarfile.TarError, EOFError, OSError, ValueError):  # whoever sends it on says so
        return None
    return found.decode("utf-8", "replace") if found is not None and len(found) < IGNORE_AT_MOST else None


def _ignore_of(place: Path) -> bytes:
    return _content_of(place, IGNORE) or b""


def _content_of(place: Path, name: str) -> bytes | None:
    with open_tar(place) as tar:
        for count, info in enumerate(tar):
            if count > ENTRIES_AT_MOST:
                break
            if posixpath.normpath(info.name) == name and (file := tar.extractfile(info)):
                return file.read(IGNORE_AT_MOST)
    return None


def _matcher(ignore: bytes, dockerfile: str) -> PatternMatcher | None:
    lines = [line.strip() for line in ignore.decode("utf-8", "replace").splitlines()]
    patterns = [line for line in lines if line and not line.startswith("#")]
    # the engine needs both, and leaves them out of the image by itself
    return PatternMatcher([*patterns, f"!{dockerfile}", f"!{IGNORE}"]) if patterns else None


def _tar(entries: Iterable[Entry], matcher: PatternMatcher | None) -> Iterator[bytes]:
    size = 0
    for count, (info, file) in enumerate(entries):
        name = posixpath.normpath(info.name)
        if name.startswith(("/", "../")) or name == "..":
            raise BadContext(f"{info.name}: a path that leaves the folder")
        size += info.size if file else 0
        if size > UNPACKED_AT_MOST or count > ENTRIES_AT_MOST:
            raise BadContext("more than 50 GiB or 500,000 files")
        if name != "." and not (matcher and matcher.matches(name)):
            info.name = name
            yield from _entry(info, file)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _entry(info: tarfile.TarInfo, file: IO[bytes] | None) -> Iterator[bytes]:
    info.pax_headers = {}
    if file is not None:
        info.type = tarfile.REGTYPE  # a sparse one is read whole
    else:
        info.size = 0  # of links, by whoever wrote it otherwise
    yield info.tobuf(tarfile.PAX_FORMAT)
    left = info.size if file is not None else 0
    while file is not None and left:
        block = file.read(min(BLOCK, left))
        if not block:
            raise BadContext(f"{info.name} ends too early")
        left -= len(block)
        yield block
    if file is not None and info.size % tarfile.BLOCKSIZE:
        yield b"\0" * (tarfile.BLOCKSIZE - info.size % tarfile.BLOCKSIZE)
