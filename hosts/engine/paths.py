"""Paths in containers: whole, without tricks, and shown so that nobody is misled by what is in a name."""

import posixpath

PATH_AT_MOST = 4096  # bytes, as Linux has it
NAME_AT_MOST = 255


def absolute(path: str) -> str:
    """The path as it is meant: absolute, with `.` and `..` worked out. Raises ValueError."""
    if "\0" in path or len(path.encode("utf-8", "surrogateescape")) > PATH_AT_MOST:
        raise ValueError("no path")
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")


def parent(path: str) -> str:
    """The folder that it is in."""
    return posixpath.dirname(path)


def base(path: str) -> str:
    """Its last part."""
    return posixpath.basename(path)


def child(folder: str, name: str) -> str:
    """What is called `name` in a folder."""
    return posixpath.join(folder, name)


def is_name(text: str) -> bool:
    """Whether it can be the name of one file."""
    try:
        size = len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half of a pair: no bytes make it
        return False
    return text not in {"", ".", ".."} and "/" not in text and "\0" not in text and size <= NAME_AT_MOST


def is_plain(name: str) -> bool:
    """Whether it is UTF-8, and so can be in an address."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def shown(text: str) -> str:
    """With line ends, control and direction characters, and bytes that are no UTF-8 made visible."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()
