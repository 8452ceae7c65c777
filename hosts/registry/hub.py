"""Docker Hub beside its registry: search by name, and tags with sizes, which do not count as pulls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hosts.engine.errors import clean
from hosts.registry import errors
from hosts.registry.client import ANSWER_AT_MOST, SECONDS, as_dict, retry_seconds
from hosts.registry.content import Platform, Tag
from hosts.registry.names import DIGEST, HUB
from hosts.registry.places import Origin, Place
from hosts.registry.transport import Answer, Transport

SEARCH = Origin("https", "index.docker.io", 443)
TAGS = Origin("https", "hub.docker.com", 443)
HUB_PLACE = Place(HUB)
FOUND_AT_MOST = 25
TAGS_A_PAGE = 25


@dataclass
class Found:
    """A repository that a search found."""

    name: str
    description: str
    stars: int
    official: bool


def search(words: str, *, seconds: float = SECONDS) -> list[Found]:
    """Repositories whose names or descriptions have the words, the best first. Raises RegistryError."""
    params = {"q": words, "n": str(FOUND_AT_MOST)}
    found = _get(SEARCH, "/v1/search", params, seconds)
    listed = found.get("results")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return [
        Found(
            clean(row.get("name") or "", 300),
            clean(row.get("description") or "", 200),
            _number(row.get("star_count")),
            row.get("is_official") is True,
        )
        for row in rows[:FOUND_AT_MOST]
    ]


def tags(repository: str, *, search: str = "", page: int = 1, seconds: float = SECONDS) -> tuple[list[Tag], int]:
    """A page of the tags of a public repository, the latest pushed first, and how many there are. Raises
    RepositoryUnknown."""
    params = {"page_size": str(TAGS_A_PAGE), "page": str(page), "name": search}
    found = _get(TAGS, f"/v2/repositories/{repository}/tags", params, seconds, name=repository)
    listed = found.get("results")
    return [_tag(row) for row in listed if isinstance(row, dict)] if isinstance(listed, list) else [], _number(
        found.get("count")
    )


def _get(origin: Origin, path: str, params: dict[str, str], seconds: float, name: str = "") -> dict[str, Any]:
    with Transport(HUB_PLACE, seconds) as transport:
        answer: Answer = transport.send(origin, "GET", path, params=params, at_most=ANSWER_AT_MOST)
    if answer.status == 429:
        raise errors.Limited.until(retry_seconds(answer.headers.get("retry-after", "")), HUB)
    if answer.status == 404 and name:
        raise errors.RepositoryUnknown(where=HUB, name=name)
    if answer.status != 200:
        raise errors.RegistryError(answer.words, where=HUB)
    return as_dict(answer.json())


def _tag(row: dict[str, Any]) -> Tag:
    images: Sequence[Any] = row["images"] if isinstance(row.get("images"), list) else []
    platforms = []
    for image in map(as_dict, images):
        words = [image.get("os"), image.get("architecture"), image.get("variant")]
        name = clean("/".join(str(word) for word in words if word), 60)
        if "unknown" not in name:  # an attestation
            platforms.append(Platform(name, _digest(image.get("digest")), _number(image.get("size")) or None))
    return Tag(clean(row.get("name") or "", 128), _digest(row.get("digest")), platforms)


def _digest(value: Any) -> str:
    return value if isinstance(value, str) and DIGEST.fullmatch(value) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**60 else 0
