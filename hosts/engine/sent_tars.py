"""A tar that somebody sent, opened with bounds: a few kilobytes may unpack to more than any machine has.

Python's own reader takes whatever it is told: a long name of gigabytes, headers inside headers, a list of a million holes, a
dictionary of gigabytes to unpack xz with. Each is in memory before a line of ours runs.
"""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

UNPACKED_AT_MOST = 50 * 1024**3  # bytes
HEADERS_AT_MOST = 1024 * 1024  # bytes of what stands before one entry's content: its names and attributes
XZ_MEMORY_AT_MOST = 128 * 1024 * 1024  # bytes: what `xz -9` asks for is 65 MiB
KEPT_AT_MOST = 1000  # entries
GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"


@contextmanager
def open_tar(place: Path, at_most: int = UNPACKED_AT_MOST) -> Iterator[tarfile.TarFile]:
    """The tar at `place`, packed by gzip, bzip2 or xz or not at all. What is too much in it raises tarfile.ReadError, where
    it is read; what is broken TarError, EOFError or OSError."""
    with place.open("rb") as raw, unpacked(raw) as content:
        try:
            with Bounded(fileobj=cast(IO[bytes], Counted(content, at_most)), mode="r") as tar:
                yield tar
        except (lzma.LZMAError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error


@contextmanager
def unpacked(raw: IO[bytes]) -> Iterator[Any]:
    """The file's content, unpacked while it is read."""
    head = raw.read(len(XZ))
    raw.seek(0)
    if head.startswith(GZIP):
        with gzip.GzipFile(fileobj=raw) as file:
            yield file
    elif head.startswith(BZIP2):
        with bz2.BZ2File(raw) as packed:
            yield packed
    elif head == XZ:
        with lzma.LZMAFile(raw, format=lzma.FORMAT_XZ) as xz:
            _bound_memory(xz)
            yield xz
    else:
        yield raw


def _bound_memory(file: lzma.LZMAFile) -> None:
    """Its decompressor takes a bound, and its class gives none."""
    reader: Any = file._buffer.raw  # type: ignore[attr-defined]
    reader._decomp_args = {"format": lzma.FORMAT_XZ, "memlimit": XZ_MEMORY_AT_MOST}
    reader._decompressor = lzma.LZMADecompressor(**reader._decomp_args)


class Counted:
    """A file that is not read beyond `at_most` bytes; while `headers` is a number, not more than HEADERS_AT_MOST."""

    def __init__(self, file: Any, at_most: int) -> None:
        self._file, self._at_most = file, at_most
        self.headers: int | None = None

    def read(self, size: int = -1) -> bytes:
        if self.headers is not None:
            if size < 0 or self.headers + size > HEADERS_AT_MOST:
                raise tarfile.ReadError(
                    f"an entry begins with more than {HEADERS_AT_MOST} bytes of names and attributes"
                )
            self.headers += size
        self._check(self._file.tell() + max(size, 0))
        found: bytes = self._file.read(size)
        return found

    def seek(self, to: int, whence: int = 0) -> int:
        self._check(to)
        return int(self._file.seek(to, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def _check(self, position: int) -> None:
        if position > self._at_most + HEADERS_AT_MOST:
            raise tarfile.ReadError(f"it unpacks to more than {self._at_most} bytes")


class Bounded(tarfile.TarFile):
    """Reads the headers of entries with a bound."""

    members: list[tarfile.TarInfo]

    def next(self) -> tarfile.TarInfo | None:
        file = self.fileobj
        if len(self.members) >= KEPT_AT_MOST:
            self.members = []  # nobody asks for one by its name, and half a million of them fill memory
        if isinstance(file, Counted):
            file.headers = 0
        try:
            return super().next()
        except RecursionError as error:
            raise tarfile.ReadError("too many headers of one entry") from error
        except (ValueError, OverflowError) as error:  # numbers that are none
            raise tarfile.ReadError(str(error)) from error
        finally:
            if isinstance(file, Counted):
                file.headers = None
