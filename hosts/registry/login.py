"""What a registry wants before it answers: its challenge, and the token that a token server gives for it."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from hosts.registry.places import Login

CHALLENGE_AT_MOST = 4096
PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Challenge:
    """A WWW-Authenticate header: `kind` is basic or bearer."""

    kind: str
    realm: str = ""
    service: str = ""
    scope: str = ""
    error: str = ""


def challenge_of(headers: Iterable[str]) -> Challenge | None:
    """The one to answer: a token's before a password's."""
    found: dict[str, Challenge] = {}
    for text in headers:
        kind, _, rest = text[:CHALLENGE_AT_MOST].strip().partition(" ")
        pairs = {name.lower(): quoted or plain for name, quoted, plain in PAIR.findall(rest)}
        if kind.lower() in {"basic", "bearer"}:
            named = {name: pairs.get(name, "") for name in ("realm", "service", "scope", "error")}
            found.setdefault(kind.lower(), Challenge(kind.lower(), **named))
    return found.get("bearer") or found.get("basic")


def basic(login: Login) -> str:
    """The header's value."""
    return "Basic " + b64encode(f"{login.username}:{login.secret}".encode()).decode()
