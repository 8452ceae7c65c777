"""Streams packed by zstd and hashed on the way: memory holds a block."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

import zstandard

from hosts.stores.errors import Broken

LEVEL = 3
ZSTD, GZIP = bytes.fromhex("28b52ffd"), bytes.fromhex("1f8b")
BLOCK = 256 * 1024
WINDOW_AT_MOST = 128 * 1024 * 1024  # bytes of memory that a file may ask for to be unpacked


class Sealed:
    """What went by: `bytes` and `sha256`."""

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = hashlib.sha256()

    def watch(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks."""
        for block in blocks:
            self._hash.update(block)
            self.bytes += len(block)
            yield block

    @property
    def sha256(self) -> str:
        """Of all that went by."""
        return self._hash.hexdigest()


def packed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """`blocks` as zstd, with a checksum of its own at the end."""
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    waiting = bytearray()
    for block in blocks:
        waiting += packer.compress(block)
        if len(waiting) >= BLOCK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + packer.flush()


class Pulled:
    """An iterator of blocks as a file that is read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = filter(None, blocks)
        self._rest = b""

    def put_back(self, data: bytes) -> None:
        """It is read once more."""
        self._rest = data + self._rest

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, fewer at the end."""
        found = bytearray()
        while size < 0 or len(found) < size:
            block = self._rest or next(self._blocks, b"")
            if not block:
                break
            take = len(block) if size < 0 else size - len(found)
            found += block[:take]
            self._rest = block[take:]
        return bytes(found)


def opened(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A tar that was packed by zstd or gzip, or not at all. Raises Broken."""
    file = Pulled(blocks)
    head = file.read(len(ZSTD))
    file.put_back(head)
    if head == ZSTD:
        yield from unpacked(iter(partial(file.read, BLOCK), b""))
        return
    source: Any = gzip.GzipFile(fileobj=cast(Any, file)) if head.startswith(GZIP) else file
    try:
        while block := source.read(BLOCK):
            yield block
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Broken(f"gzip: {error}") from error


def unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What was packed by zstd. Raises Broken. However far a little of it swells, memory holds a block."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_AT_MOST)
    file: Any = Pulled(blocks)
    try:
        with unpacker.stream_reader(file, read_across_frames=True) as reader:
            while block := reader.read(BLOCK):
                yield block
    except zstandard.ZstdError as error:
        raise Broken(f"zstd: {error}") from error
