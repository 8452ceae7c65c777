"""What is in a volume is told apart from what is not the same, whatever the order of an engine."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from hosts.engine.volume_tars import Content

Entry = dict[str, Any]


def entries() -> list[Entry]:
    return [
        {"name": "volume/", "type": tarfile.DIRTYPE, "mode": 0o2750, "uid": 7},
        {"name": "volume/a", "data": b"one", "mode": 0o4755, "uid": 5, "mtime": 9},
        {"name": "volume/b", "data": b"two", "pax_headers": {"SCHILY.xattr.security.capability": "\x01\n"}},
        {"name": "volume/c", "type": tarfile.SYMTYPE, "linkname": "../a"},
        {"name": "volume/d", "type": tarfile.LNKTYPE, "linkname": "volume/a", "mode": 0o4755, "uid": 5, "mtime": 9},
    ]


def tar(parts: list[Entry], top: str = "volume") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in parts:
            info = tarfile.TarInfo(part["name"].replace("volume", top, 1))
            for key, value in part.items():
                if key not in {"name", "data"}:
                    setattr(info, key, value)
            if info.type == tarfile.LNKTYPE:
                info.linkname = info.linkname.replace("volume", top, 1)
            info.size = len(part.get("data", b""))
            archive.addfile(info, io.BytesIO(part.get("data", b"")))
    return file.getvalue()


def read(data: bytes, other: Content | None = None, top: str = "volume", piece: int = 700) -> Content:
    content = Content(other)
    content.top = top
    for start in range(0, len(data), piece):
        content.feed(data[start : start + piece])
    assert content.is_whole
    return content


def is_same(parts: list[Entry], **more: Any) -> bool:
    sent = read(tar(entries()))
    return read(tar(parts, more.get("top", "volume")), sent, **more).is_same(sent)


def test_the_same_files_are_the_same_in_another_order_and_under_another_folder() -> None:
    assert is_same(entries())
    assert is_same(entries()[::-1][1:] + entries()[4:])  # a folder comes after what is in it
    assert is_same(entries(), top=".")


def test_which_name_of_a_file_comes_first_does_not_matter() -> None:
    root, file, other, link, second = entries()
    assert is_same(
        [root, file | {"name": "volume/d"}, other, link, second | {"name": "volume/a", "linkname": "volume/d"}]
    )


def changes() -> Iterator[Any]:
    for at, key, value in (
        (0, "mode", 0o750),
        (0, "uid", 0),
        (1, "data", b"One"),
        (1, "mode", 0o755),
        (1, "uid", 0),
        (1, "gid", 1),
        (1, "mtime", 8),
        (1, "name", "volume/aa"),
        (2, "pax_headers", {}),
        (3, "linkname", "../b"),
        (3, "uid", 1),
        (4, "linkname", "volume/b"),
        (4, "name", "volume/dd"),
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
    assert not is_same([*entries(), {"name": "volume/e", "data": b""}])


def test_capabilities_are_left_out_where_an_engine_does_not_tell_them() -> None:
    sent, found = read(tar(entries())), entries()
    del found[2]["pax_headers"]
    content = read(tar(found), sent)
    assert sent.capabilities == 1 and not content.is_same(sent)
    assert content.is_same(sent, capabilities=False)
