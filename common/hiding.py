"""Secrets that a piece of work knows: taken out of whatever is told of it, before that is cut to its length, so that
no half of one stays. Imported by the layers that know no Django: nothing is imported here."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote, quote_plus

AT_LEAST = 4  # characters: shorter words are such as anybody may write
MARK = "•••"
_known: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


def forms(secrets: Iterable[str]) -> list[str]:
    """The secrets as engines repeat them: plain, in a JSON text, in an address, on one line; the longest first, since
    one may hold another."""
    found = set()
    for secret in secrets:
        plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        found |= plain | {
            quote(secret, "", errors="replace"),
            quote_plus(secret, errors="replace"),
            " ".join(secret.split()),
        }
    return sorted((form for form in found if len(form) >= AT_LEAST), key=len, reverse=True)


def hide(*secrets: str) -> None:
    """From now on, in this thread's or task's context."""
    _known.set(tuple(sorted({*_known.get(), *forms(secrets)}, key=len, reverse=True)))


@contextmanager
def hiding(*secrets: str) -> Iterator[None]:
    """Inside the block; what is hidden in it ends with it."""
    before = _known.set(_known.get())
    try:
        hide(*secrets)
        yield
    finally:
        _known.reset(before)


def without_secrets(text: str, further: Iterable[str] = ()) -> str:
    """`text` without what is hidden, and without these."""
    for secret in (*_known.get(), *further):
        text = text.replace(secret, MARK)
    return text
