"""What is in a volume is told apart from what is not the same, whatever the order of an engine."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from hosts.engine.archives import Recast

Entry = dict[str, Any]


def entries() -> list[Entry]:
    return [
        {"name": "./", "type": tarfile.DIRTYPE, "mode": 0o2750, "uid": 7},
        {"name": "./a", "data": b"one", "mode": 0o4755, "uid": 5, "mtime": 9},
        {"name": "./b", "data": b"two", "pax_headers": {"SCHILY.xattr.security.capability": "\x01\n"}},
        {"name": "./c", "type": tarfile.SYMTYPE, "linkname": "../a"},
        {"name": "./d", "type": tarfile.LNKTYPE, "linkname": "./a", "mode": 0o4755, "uid": 5, "mtime": 9},
        {"name": "./null", "type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3},
    ]


def tar(parts: list[Entry]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in parts:
            info = tarfile.TarInfo(part["name"])
            for key, value in part.items():
                if key not in {"name", "data"}:
                    setattr(info, key, value)
            info.size = len(part.get("data", b""))
            archive.addfile(info, io.BytesIO(part.get("data", b"")))
    return file.getvalue()


def read(data: bytes, other: Recast | None = None, piece: int = 700) -> Recast:
    recast = Recast(devices="kept", before=other.sum if other else None)
    for _block in recast.cast(data[start : start + piece] for start in range(0, len(data), piece)):
        pass
    return recast


def is_same(parts: list[Entry], before: list[Entry] | None = None, *, capabilities: bool = True) -> bool:
    sent = read(tar(before or entries()))
    return read(tar(parts), sent).sum.is_same(sent.sum, capabilities=capabilities)


def test_the_same_files_are_the_same_in_another_order() -> None:
    assert is_same(entries())
    assert is_same(entries()[::-1])  # a folder comes after what is in it
    assert read(tar(entries())).sum.digest() == read(tar(entries()[::-1])).sum.digest()


def test_which_name_of_a_file_comes_first_does_not_matter() -> None:
    root, file, other, link, second, device = entries()
    assert is_same([root, file | {"name": "./d"}, other, link, second | {"name": "./a", "linkname": "./d"}, device])


def changes() -> Iterator[Any]:
    for at, key, value in (
        (0, "mode", 0o750),
        (0, "uid", 0),
        (1, "data", b"One"),
        (1, "mode", 0o755),
        (1, "uid", 0),
        (1, "gid", 1),
        (1, "mtime", 8),
        (1, "name", "./aa"),
        (2, "pax_headers", {}),
        (3, "linkname", "../b"),
        (3, "uid", 1),
        (4, "linkname", "./b"),
        (4, "name", "./dd"),
        (5, "devminor", 5),
    ):
        yield pytest.param(at, key, value, id=f"{key} of {entries()[at]['name']}")


@pytest.mark.parametrize(("at", "key", "value"), changes())
def test_what_is_not_the_same_is_found(at: int, key: str, value: Any) -> None:
    found = entries()
    found[at][key] = value
    assert not is_same(found)


def test_what_is_missing_or_more_is_found() -> None:
    for at in range(1, 5):
        if at != 1:  # without it, the hard link leads nowhere
            assert not is_same(entries()[:at] + entries()[at + 1 :])
    assert not is_same([*entries(), {"name": "./e", "data": b""}])


def test_capabilities_are_left_out_where_an_engine_does_not_tell_them() -> None:
    found = entries()
    del found[2]["pax_headers"]
    assert read(tar(entries())).sum.capabilities == 1
    assert not is_same(found)
    assert is_same(found, capabilities=False)


def test_the_volume_itself_counts_where_it_was_told() -> None:
    without = entries()[1:]
    assert is_same(entries(), before=without)
    assert not is_same(without)


def test_what_is_made_anew_is_what_was_read() -> None:
    data, recast = tar(entries()), Recast(devices="kept")
    made = read(b"".join(recast.cast([data])), recast)
    assert made.sum.is_same(recast.sum)
    assert made.sum.digest() == recast.sum.digest()
    assert (made.entries, made.size, made.sum.has_top) == (5, 6, True)
