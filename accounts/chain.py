"""The audit as a chain: each entry's digest covers what it says and the digest before it. Who can write to the database, but
does not have the installation's key, cannot change, remove or reorder entries unnoticed. Taking entries away at the new
end is seen too, unless both ends are put back as they were: note a digest elsewhere, and compare it."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.db.models import Q

from accounts.models import AuditChain, AuditEntry
from common.secrets import signing_keys

PURPOSE = "audit"
CHUNK = 2000  # entries that are read and held at once


def plain(value: Any) -> Any:
    """A detail as every database gives it back: keys are text, and whole numbers have no fraction."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).replace("\0", "")


def says(entry: AuditEntry) -> bytes:
    """All that an entry says. Not its link to the account, which goes when that is deleted: the name stays."""
    time = entry.time.astimezone(UTC).isoformat(timespec="microseconds")
    what = [entry.action, entry.host, entry.target, entry.outcome, entry.detail]
    parts = [entry.number, time, entry.actor_name, *what, entry.address, entry.via]
    return json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()


def digest(before: str, entry: AuditEntry, key: bytes | None = None) -> str:
    """The digest of an entry that comes after one with the digest `before`: 64 hexadecimal digits."""
    key = key or signing_keys(PURPOSE)[0]
    return hmac.new(key, before.encode() + b"\n" + says(entry), "sha256").hexdigest()


def faults(noted: str = "") -> Iterator[str]:
    """What is wrong with the audit, a sentence each; nothing when it is whole. `noted`: NUMBER:DIGEST as it was at some
    time before, which must still be there."""
    chain = AuditChain.now()
    known_number, _, known_digest = noted.partition(":")
    before, last = chain.kept_after_digest, chain.kept_after
    keys = signing_keys(PURPOSE)
    for entry in AuditEntry.objects.filter(number__lte=chain.number).order_by("number").iterator(CHUNK):
        number = entry.number or 0
        if number <= chain.kept_after:
            yield f"Entry {number} is there, although all up to {chain.kept_after} were forgotten."
            continue
        if number != last + 1:
            yield _missing(last + 1, number - 1)
        elif not any(hmac.compare_digest(digest(before, entry, key), entry.digest) for key in keys):
            yield f"Entry {number} was changed, or stood elsewhere."
        if str(number) == known_number and entry.digest != known_digest:
            yield f"Entry {number} is not the one that was noted."
        before, last = entry.digest, number
    if last < chain.number:
        yield _missing(last + 1, chain.number)
    elif before != chain.digest:
        yield "The newest entry is not the one that was written last."
    if known_number.isdecimal() and int(known_number) > chain.number:
        yield f"The audit ends at {chain.number}; entry {known_number}, which was noted, is missing."
    beyond = AuditEntry.objects.filter(Q(number=None) | Q(number__gt=chain.number))
    if AuditChain.objects.filter(pk=1, number=chain.number).exists() and (strange := beyond.count()):
        yield f"{strange} entries were not written by Dermaga: they stand behind the newest one, or nowhere."


def _missing(first: int, last: int) -> str:
    return f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."
