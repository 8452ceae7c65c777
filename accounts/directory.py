"""A directory (LDAP): whether a name and a password fit, and in which groups somebody is.

Somebody is looked for with an account of Dermaga's own, and then the password is tried as them (search and bind). Nothing is
read over a connection that is not encrypted, referrals are not followed, and all of it ends by a deadline.
"""

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ldap3
from django.conf import settings
from django.utils.translation import gettext_noop
from ldap3.core.exceptions import LDAPException, LDAPInvalidCredentialsResult
from ldap3.utils.conv import escape_filter_chars

from accounts.not_let_in import NotLetIn
from common.connections import Cut, Deadline, resolve

SECONDS = 10.0  # for all that is asked at a login
STALL_SECONDS = 5  # for a connection, and without a byte
GROUPS_AT_MOST = 10_000
NAME_AT_MOST = 150

AWAY = gettext_noop("%(name)s does not answer as it should. Try again later.")


@dataclass(frozen=True)
class Person:
    """Whom the directory knows: `key` never changes there, whatever they are called."""

    key: str
    name: str
    email: str
    groups: frozenset[str]


def directory_id() -> str:
    """Under which its people are kept: of another directory they are others."""
    told = f"{settings.LDAP_URL} {settings.LDAP_USERS}"
    return "ldap-" + hashlib.sha256(told.encode()).hexdigest()[:16]


def find(name: str, password: str) -> Person | None:
    """Who logs in by that name and password; None when they do not fit, or are not of one person alone. Raises
    NotLetIn."""
    # without a password a directory takes anybody for nobody, and says yes
    if not name or not password or "\0" in name + password or len(name) > NAME_AT_MOST:
        return None
    with _asked() as (asked, own):
        entry = _entry(own, name)
        if entry is None or not asked.fits(entry["dn"], password):
            return None
        return _person(own, entry, name)


def demand_there() -> None:
    """Raises NotLetIn when it does not answer, or does not know Dermaga."""
    with _asked():
        pass


@contextmanager
def _asked() -> Iterator[tuple["_Asked", ldap3.Connection]]:
    """With the connection of Dermaga's own account. Raises NotLetIn for all that goes wrong meanwhile."""
    try:
        with Cut(Deadline(SECONDS)) as cut:
            asked = _Asked(cut)
            with asked.connection(settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD) as own:
                yield asked, own
    except NotLetIn:
        raise
    except Exception as error:  # what it does not understand breaks the library in any way
        raise _refusal(f"{type(error).__name__}: {error}"[:200]) from error


def _refusal(why: str) -> NotLetIn:
    return NotLetIn(AWAY, why, settings.LDAP_NAME)


def _entry(own: ldap3.Connection, name: str) -> dict[str, Any] | None:
    wanted = [settings.LDAP_KEY, settings.LDAP_LOGIN, settings.LDAP_EMAIL, settings.LDAP_GROUPS_ATTRIBUTE]
    found = _search(own, settings.LDAP_USERS, settings.LDAP_USER_FILTER, name, wanted, 2)
    return found[0] if len(found) == 1 else None  # of two nobody knows who it is


def _person(own: ldap3.Connection, entry: dict[str, Any], typed: str) -> Person | None:
    told = entry["raw_attributes"]
    keys = told.get(settings.LDAP_KEY) or []
    if len(keys) != 1 or not keys[0]:
        raise _refusal(f"{entry['dn']} has no {settings.LDAP_KEY}")
    key = keys[0].decode("ascii") if keys[0].isascii() and keys[0].decode("ascii").isprintable() else keys[0].hex()
    groups = {_text(group) for group in told.get(settings.LDAP_GROUPS_ATTRIBUTE) or []}
    if settings.LDAP_GROUPS:
        found = _search(own, settings.LDAP_GROUPS, settings.LDAP_GROUP_FILTER, entry["dn"], ["cn"], GROUPS_AT_MOST)
        groups |= {group["dn"] for group in found}
    groups |= {short for group in groups if (short := _common_name(group))}
    names, emails = told.get(settings.LDAP_LOGIN) or [], told.get(settings.LDAP_EMAIL) or []
    return Person(
        key,
        _text(names[0]) if names else typed,
        _text(emails[0]) if emails else "",
        frozenset(list(groups)[:GROUPS_AT_MOST]),
    )


def _search(
    own: ldap3.Connection, base: str, template: str, value: str, attributes: list[str], most: int
) -> list[dict[str, Any]]:
    condition = template.replace("%s", escape_filter_chars(value))
    own.search(
        base, condition, ldap3.SUBTREE, ldap3.DEREF_NEVER, [name for name in attributes if name],
        size_limit=most, time_limit=STALL_SECONDS,
    )  # fmt: skip
    return [entry for entry in own.response or [] if entry["type"] == "searchResEntry"]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _common_name(group: str) -> str:
    """ "engineers" of "cn=engineers,ou=groups,dc=example,dc=com"."""
    first = group.partition(",")[0]
    kind, equals, name = first.partition("=")
    return name.strip() if equals and kind.strip().lower() == "cn" else ""


class _Tls(ldap3.Tls):
    """Over which a connection that is encrypted from its first byte on is cut from then on."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        super().__init__(
            validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=settings.LDAP_CA or None
        )

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        if connection.server.ssl:
            self._cut.add(connection.socket)
        super().wrap_socket(connection, do_handshake)


class _Server(ldap3.Server):
    """Whose name is looked up, and whose addresses are tried, under the deadline."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        super().__init__(settings.LDAP_URL, tls=_Tls(cut), get_info=ldap3.NONE)

    def candidate_addresses(self) -> list[list[Any]]:
        deadline = self._cut.deadline.at_most(STALL_SECONDS)
        found = resolve(self.host, self.port, deadline)
        self.connect_timeout = deadline.left() / len(found)
        return [[family, socket.SOCK_STREAM, 0, "", address, None, None] for family, address in found]


class _Asked:
    """The connections of one login, which end together by the deadline."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut

    @contextmanager
    def connection(self, who: str, password: str) -> Iterator[ldap3.Connection]:
        """Logged in as `who`."""
        made = ldap3.Connection(
            _Server(self._cut), who or None, password or None, receive_timeout=STALL_SECONDS, auto_referrals=False,
            read_only=True, raise_exceptions=True, authentication=ldap3.SIMPLE if who else ldap3.ANONYMOUS,
        )  # fmt: skip
        try:
            made.open(read_server_info=False)
            if not made.server.ssl:
                self._cut.add(made.socket)
                made.start_tls(read_server_info=False)
            made.bind(read_server_info=False)
            yield made
        finally:
            with suppress(LDAPException, OSError):
                made.unbind()

    def fits(self, who: str, password: str) -> bool:
        """Whether it is their password."""
        try:
            with self.connection(who, password):
                return True
        except LDAPInvalidCredentialsResult:
            return False
