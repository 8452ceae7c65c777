"""Where what is being done now came from, for the audit: set at the door, read when an entry is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Origin:
    """`address` of who asked; `via` names what acts for a person: "token backup", "job 12", "schedule nightly".
    `entries`: how many were written since."""

    address: str = ""
    via: str = ""
    entries: int = 0


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def begin(address: str) -> Origin:
    """From now on, in this request or socket."""
    origin = Origin(address[:64])
    _origin.set(origin)
    return origin


@contextmanager
def came_from(via: str, address: str = "") -> Iterator[None]:
    """While the block runs."""
    token = _origin.set(Origin(address[:64], via[:150]))
    try:
        yield
    finally:
        _origin.reset(token)


def current() -> Origin:
    """That of what is being done now; an empty one where nobody asked, as in a command."""
    return _origin.get() or Origin()
