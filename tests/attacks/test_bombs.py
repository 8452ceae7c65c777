"""Files that are more than they seem: a few kilobytes that unpack to more than there is, headers that are, and names that
lead elsewhere. Whoever reads them says why not, and neither memory nor disk fills."""

import bz2
import gzip
import io
import lzma
import os
import resource
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from hosts.engine import contexts, sent_tars, unpacking
from hosts.engine.errors import BadContext, PathRefused
from hosts.stores.errors import StoreError
from hosts.stores.folder import FolderStore
from hosts.stores.packing import opened, unpacked

MIB = 1024 * 1024
MEMORY = 64 * MIB  # that reading one may take
HUGE = 3 * 1024 * MIB


def header(kind: bytes, size: int, name: str = "x", **more: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def zeros(count: int) -> Iterator[bytes]:
    for _ in range(count // MIB):
        yield bytes(MIB)


def gzipped(head: bytes, count: int, tail: bytes = b"") -> bytes:
    """`head`, so many zeros and `tail`: the zeros as members that are made once."""
    block = gzip.compress(bytes(16 * MIB), 9)
    return gzip.compress(head) + block * (count // (16 * MIB)) + gzip.compress(tail)


def plain(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content, more in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def many(count: int) -> bytes:
    return b"".join(header(tarfile.REGTYPE, 0, f"f{n}") for n in range(500)) * (count // 500)


def sparse(real: int) -> bytes:
    """A file that is one hole."""
    block = bytearray(header(tarfile.GNUTYPE_SPARSE, 0, "hole"))
    block[483:495] = b"%011o\0" % real if real < 8**11 else b"\x80" + real.to_bytes(11)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def sparse_with_endless_list() -> bytes:
    """GNU's format 1.0: how many holes there are stands in the content, a thousand million here."""
    records = b"".join(
        record(key, value)
        for key, value in (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "x"))
    )
    pax = header(tarfile.XHDTYPE, len(records)) + records.ljust(512, b"\0")
    listed = b"1000000000\n" + b"0\n" * (4 * MIB)
    return pax + header(tarfile.REGTYPE, len(listed)) + listed


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n"
    return f"{len(text) + 2}{text}".encode()


BOMBS: dict[str, Callable[[], bytes]] = {
    "a long name of gigabytes": lambda: gzipped(header(tarfile.GNUTYPE_LONGNAME, HUGE), HUGE),
    "attributes of gigabytes": lambda: gzipped(header(tarfile.XHDTYPE, HUGE), HUGE),
    "global attributes of gigabytes": lambda: gzipped(header(tarfile.XGLTYPE, HUGE), HUGE),
    "headers inside headers": lambda: gzip.compress((header(tarfile.GNUTYPE_LONGNAME, 1) + b"x".ljust(512, b"\0")) * 5000),
    "an endless list of holes": lambda: gzip.compress(sparse_with_endless_list()),
    "a hole of a petabyte": lambda: sparse(2**50),
    "a file of a petabyte": lambda: header(tarfile.REGTYPE, 2**50) + bytes(1024),
    "less than nothing": lambda: gzip.compress(header(tarfile.REGTYPE, 0).replace(b"00000000000\0", b"-0000000001\0", 1)),
    "an xz that needs gigabytes": lambda: greedy_xz(),
    "very many entries": lambda: gzip.compress(many(6_000), 1),
    "no tar": lambda: gzip.compress(b"x" * 5000),
    "half a gzip": lambda: gzip.compress(plain(("a", b"x" * 100_000, {})))[:-40],
    "half a bzip2": lambda: bz2.compress(os.urandom(5000))[:-8],
    "half an xz": lambda: lzma.compress(plain(("a", os.urandom(50_000), {})))[:-20_000],
    "nothing": lambda: b"",
}  # fmt: skip


def greedy_xz() -> bytes:
    """Small, and unpacked with a dictionary of 1.5 GiB: its header says so."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    packed = bytearray(lzma.compress(plain(("a", b"x", {})), filters=filters))
    place = packed.index(b"\x21\x01", 12)  # LZMA2, one byte of properties: the size of its dictionary
    packed[place + 2] = 39
    size = (packed[12] + 1) * 4
    packed[12 + size - 4 : 12 + size] = gzip.zlib.crc32(packed[12 : 12 + size - 4]).to_bytes(4, "little")  # type: ignore[attr-defined]
    return bytes(packed)


@pytest.fixture
def bounded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process cannot take gigabytes: who tries fails, and takes no machine along. Of entries, fewer are many."""
    monkeypatch.setattr(contexts, "ENTRIES_AT_MOST", 5000)
    monkeypatch.setattr(unpacking, "MEMBERS_AT_MOST", 5000)
    monkeypatch.setattr(sent_tars, "HEADERS_AT_MOST", 128 * 1024)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 1024 * MIB, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def measured(work: Callable[[], Any]) -> int:
    """The most bytes that were held at once."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        work()
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.monotonic() - began < 20
    return most


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_context_that_is_too_much_is_refused(tmp_path: Path, bounded: None, bomb: str) -> None:
    place = tmp_path / "context"
    place.write_bytes(BOMBS[bomb]())

    def build() -> None:
        assert contexts.text_of(place, "Dockerfile") is None
        with pytest.raises(BadContext) as refused:
            for _ in contexts.of_tar(place, "Dockerfile"):
                pass
        assert str(refused.value.detail)

    assert measured(build) < MEMORY


@pytest.mark.parametrize("bomb", [bomb for bomb in BOMBS if bomb != "nothing"])
def test_an_upload_that_is_too_much_is_refused(tmp_path: Path, bounded: None, bomb: str) -> None:
    place = tmp_path / "upload"
    place.write_bytes(BOMBS[bomb]())

    def upload() -> None:
        with pytest.raises(PathRefused), unpacking.unpacking(place, owner=None) as parts:
            for part in parts:
                if part.open:
                    with part.open() as file:
                        while file.read(MIB):
                            pass

    assert measured(upload) < MEMORY


def test_entries_that_went_by_are_not_kept(tmp_path: Path) -> None:
    place = tmp_path / "many"
    place.write_bytes(gzip.compress(many(8_000), 1))
    # of 1,000 entries that are kept a moment; all would take 6 MiB
    assert measured(lambda: [None for _ in contexts.of_tar(place, "Dockerfile")]) < 3 * MIB


def test_what_unpacks_to_more_than_is_allowed_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "UNPACKED_AT_MOST", 10 * MIB)
    monkeypatch.setattr(contexts, "UNPACKED_AT_MOST", 10 * MIB)
    place = tmp_path / "swells"
    place.write_bytes(gzipped(header(tarfile.REGTYPE, 32 * MIB), 32 * MIB, bytes(1024)))
    assert place.stat().st_size < 100_000
    with pytest.raises(PathRefused), unpacking.unpacking(place, owner=None):
        pass
    with pytest.raises(BadContext):
        list(contexts.of_tar(place, "Dockerfile"))
    with pytest.raises(tarfile.ReadError, match="unpacks to more"), sent_tars.open_tar(place, MIB) as tar:
        list(tar)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_what_is_honest_is_read_as_before(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    place, long = tmp_path / "honest", "deep/" * 100 + "name"
    place.write_bytes(
        pack(plain(("Dockerfile", b"FROM busybox", {}), (long, b"y" * 100_000, {}), (".dockerignore", b"z", {})))
    )
    assert contexts.text_of(place, "Dockerfile") == "FROM busybox"
    made = b"".join(contexts.of_tar(place, "Dockerfile"))
    with tarfile.open(fileobj=io.BytesIO(made)) as tar:
        assert long in tar.getnames()
    with unpacking.unpacking(place, owner=(0, 0)) as parts:
        file = next(part for part in parts if part.name == long)
        assert file.open and file.open().read() == b"y" * 100_000
        again = next(part for part in parts if part.name == "Dockerfile")  # back, before what was read
        assert again.open and again.open().read() == b"FROM busybox"


PATHS = ("../up", "/etc/passwd", "a/../../up", "..", "a/b/../../../up", "./../up")


@pytest.mark.parametrize("name", PATHS)
def test_a_name_that_leads_out_is_refused_or_made_harmless(tmp_path: Path, name: str) -> None:
    place = tmp_path / "walks"
    place.write_bytes(plain((name, b"x", {})))
    try:
        made = b"".join(contexts.of_tar(place, "Dockerfile"))
        with tarfile.open(fileobj=io.BytesIO(made)) as tar:
            names = tar.getnames()
        assert not [one for one in names if one.startswith(("/", "..")) or "/../" in one]
    except BadContext:
        pass
    try:
        with unpacking.unpacking(place, owner=None) as parts:
            assert not [part.name for part in parts if part.name.startswith(("/", "..")) or "/../" in part.name]
    except PathRefused:
        pass


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    place = tmp_path / "links"
    link = {"type": tarfile.SYMTYPE, "linkname": "/etc"}
    place.write_bytes(plain(("out", b"", link), ("out/passwd", b"x", {})))
    with pytest.raises(PathRefused, match="link"), unpacking.unpacking(place, owner=None):
        pass
    hard = {"type": tarfile.LNKTYPE, "linkname": "../../etc/passwd"}
    place.write_bytes(plain(("hard", b"", hard)))
    with pytest.raises(PathRefused), unpacking.unpacking(place, owner=None):
        pass


# ---------------------------------------------------------------- backups
def test_a_backup_that_swells_is_read_a_block_at_a_time() -> None:
    swelling = zstandard.ZstdCompressor(level=19).compress(bytes(256 * MIB))
    assert len(swelling) < 100_000

    def read(blocks: Iterator[bytes]) -> None:
        size = 0
        for block in blocks:
            size += len(block)
        assert size == 256 * MIB

    assert measured(lambda: read(unpacked(iter([swelling])))) < MEMORY
    assert measured(lambda: read(opened(iter([gzipped(b"", 256 * MIB)])))) < MEMORY


def test_a_backup_that_wants_a_large_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    greedy = packer.compress(b"x" * 5000) + packer.flush()
    with pytest.raises(StoreError, match="zstd"):
        list(unpacked(iter([greedy])))


@pytest.mark.parametrize("key", ["../out", "/etc/passwd", "a/../../out", "a//b", "./a", "", "a/.."])
def test_a_key_leads_out_of_no_folder_of_backups(tmp_path: Path, key: str) -> None:
    (tmp_path / "shelf").mkdir()
    store = FolderStore(str(tmp_path / "shelf"), [str(tmp_path)], "shelf")
    with pytest.raises(StoreError):
        store.write(key, [b"x"], 1)
    with pytest.raises(StoreError):
        list(store.read(key))
    assert [place.name for place in tmp_path.rglob("*")] == ["shelf"]


def test_a_folder_of_backups_is_one_that_was_allowed_and_no_link_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "other")
    for folder in (str(tmp_path / "other"), f"{tmp_path}/allowed/../other", f"{tmp_path}/allowed/link", "/"):
        with pytest.raises(StoreError):
            FolderStore(folder, [str(tmp_path / "allowed")], "shelf").write("a", [b"x"], 1)
    assert list((tmp_path / "other").iterdir()) == []
