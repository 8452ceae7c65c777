"""What is in a registry: repositories, tags, and what a tag stands for."""

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hosts.engine.errors import clean
from hosts.registry import errors
from hosts.registry.client import Client, as_dict
from hosts.registry.names import DIGEST, HUB
from hosts.registry.transport import PARALLEL, Answer

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join((*INDEXES, *MANIFESTS))  # without it a registry converts to an older format with another digest
CONFIG_AT_MOST = 1024 * 1024
PLATFORMS_AT_MOST = 32
NUMBERS = re.compile(r"(\d+)")


@dataclass
class Platform:
    """An image of an index, or the one image that a tag stands for; `size` in bytes, compressed, None when unknown."""

    name: str  # linux/arm64, linux/arm/v7
    digest: str
    size: int | None = None


@dataclass
class Tag:
    """A tag and what it stands for; `error` says why that is not known."""

    name: str
    digest: str = ""
    platforms: list[Platform] = field(default_factory=list)
    error: errors.RegistryError | None = None

    @property
    def size(self) -> int | None:
        """Of the one image, or of all of an index; None when unknown."""
        sizes = [platform.size for platform in self.platforms if platform.size is not None]
        return sum(sizes) if sizes and len(sizes) == len(self.platforms) else None


def repositories(client: Client) -> tuple[list[str], bool]:
    """Their names, and whether there are more than are listed. Raises NoCatalogue, CatalogueDenied."""
    where = client.place.address
    if where == HUB:
        raise errors.NoCatalogue(where=where)
    try:
        names, more, answer = client.names("/v2/_catalog", "repositories", "registry:catalog:*")
    except errors.NotAllowed as error:
        raise errors.CatalogueDenied(where=where) from error
    if answer.status in {404, 405, 501}:
        raise errors.NoCatalogue(where=where)
    _demand_ok(client, answer)
    return names, more


def tags(client: Client, repository: str) -> tuple[list[str], bool]:
    """Their names, the latest versions first, and whether there are more than are listed. Raises RepositoryUnknown."""
    with _hidden(client, repository):
        names, more, answer = client.names(f"/v2/{repository}/tags/list", "tags", _scope(repository, "pull"))
    if answer.status == 404:
        raise errors.RepositoryUnknown(where=client.place.address, name=repository)
    _demand_ok(client, answer)
    return sorted(names, key=_version, reverse=True), more


def digest(client: Client, repository: str, tag: str) -> str:
    """What a tag stands for. Raises TagUnknown."""
    answer = _manifest(client, repository, tag, "HEAD")
    found = answer.headers.get("docker-content-digest", "")
    return found if DIGEST.fullmatch(found) else _read(client, repository, tag)[0]


def describe(client: Client, repository: str, tag: str) -> Tag:
    """Digest, platforms and sizes of a tag; what goes wrong is its `error`."""
    try:
        found, manifest = _read(client, repository, tag)
        if "manifests" in manifest:
            platforms = [_sized(client, repository, entry) for entry in _entries(manifest)]
        else:
            platforms = [Platform(_configured(client, repository, manifest), found, _weight(manifest))]
        return Tag(tag, found, platforms)
    except errors.RegistryError as error:
        return Tag(tag, error=error)


def describe_all(client: Client, repository: str, names: Iterable[str]) -> list[Tag]:
    """Several at the same time. The first request is alone: what it learns of the login the others need not ask for."""
    names = list(names)
    first = [describe(client, repository, name) for name in names[:1]]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return first + list(pool.map(lambda name: describe(client, repository, name), names[1:]))


def same_digest(client: Client, repository: str, wanted: str, names: list[str]) -> list[str]:
    """Which of these tags stand for the digest: deleting it takes all of them."""

    def is_same(name: str) -> bool:
        try:
            return digest(client, repository, name) == wanted
        except errors.TagUnknown:
            return False

    with ThreadPoolExecutor(PARALLEL) as pool:
        return [name for name, same in zip(names, pool.map(is_same, names), strict=True) if same]


def delete(client: Client, repository: str, tag: str, expected: str) -> None:
    """Deletes the manifest that `tag` stands for, if it is the `expected` one still; with it go all its tags."""
    where = client.place.address
    if digest(client, repository, tag) != expected:
        raise errors.TagMoved(where=where, name=repository, tag=tag)
    answer = client.ask("DELETE", f"/v2/{repository}/manifests/{expected}", scope=_scope(repository, "pull,delete"))
    if answer.status == 404:
        raise errors.TagUnknown(where=where, name=repository, tag=tag)
    if answer.status in {400, 405} or answer.fault.get("code") == "UNSUPPORTED":
        raise errors.DeleteUnsupported(client.words(answer), where=where)
    _demand_ok(client, answer)


# ---------------------------------------------------------------- manifests
class _hidden:
    """A repository that is not there and one that is hidden look alike to who has no right to it."""

    def __init__(self, client: Client, repository: str) -> None:
        self.client, self.repository = client, repository

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, errors.NotAllowed):
            raise errors.RepositoryUnknown(where=self.client.place.address, name=self.repository) from error


def _scope(repository: str, actions: str) -> str:
    return f"repository:{repository}:{actions}"


def _demand_ok(client: Client, answer: Answer) -> None:
    if answer.status >= 300:
        raise errors.RegistryError(client.words(answer), where=client.place.address)


def _manifest(client: Client, repository: str, reference: str, method: str = "GET") -> Answer:
    with _hidden(client, repository):
        answer = client.ask(
            method, f"/v2/{repository}/manifests/{reference}", scope=_scope(repository, "pull"), accept=ACCEPT
        )
    if answer.status == 404:
        if answer.fault.get("code") == "NAME_UNKNOWN":
            raise errors.RepositoryUnknown(where=client.place.address, name=repository)
        raise errors.TagUnknown(where=client.place.address, name=repository, tag=reference)
    _demand_ok(client, answer)
    return answer


def _read(client: Client, repository: str, reference: str) -> tuple[str, dict[str, Any]]:
    """Digest and content of a manifest. The digest is that of the content: what the registry says may be of another
    format."""
    answer = _manifest(client, repository, reference)
    manifest = answer.json()
    if not isinstance(manifest, dict):
        raise errors.NotARegistry("a manifest that is no JSON", where=client.place.address)
    return f"sha256:{hashlib.sha256(answer.body).hexdigest()}", manifest


def _entries(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The images of an index, without the attestations that builders put beside them."""
    listed = manifest.get("manifests")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    found = [entry for entry in entries if _platform(entry.get("platform")) != "unknown/unknown"]
    return [entry for entry in found if DIGEST.fullmatch(str(entry.get("digest")))][:PLATFORMS_AT_MOST]


def _sized(client: Client, repository: str, entry: dict[str, Any]) -> Platform:
    _digest, manifest = _read(client, repository, str(entry["digest"]))
    return Platform(_platform(entry.get("platform")), str(entry["digest"]), _weight(manifest))


def _weight(manifest: dict[str, Any]) -> int | None:
    """The bytes that a pull fetches."""
    layers = manifest.get("layers")
    if not isinstance(layers, list):
        return None
    sizes = [as_dict(part).get("size") for part in (*layers, manifest.get("config"))]
    return sum(size for size in sizes if isinstance(size, int) and 0 < size < 2**60)


def _configured(client: Client, repository: str, manifest: dict[str, Any]) -> str:
    """The platform of an image that is in no index, from its configuration; "" when that does not tell."""
    wanted = str(as_dict(manifest.get("config")).get("digest"))
    if not DIGEST.fullmatch(wanted):
        return ""
    path = f"/v2/{repository}/blobs/{wanted}"
    answer = client.ask("GET", path, scope=_scope(repository, "pull"), accept="*/*", at_most=CONFIG_AT_MOST)
    try:
        config = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        config = None
    return _platform(config) if as_dict(config).get("architecture") else ""


def _platform(told: Any) -> str:
    """os/architecture/variant"""
    parts = as_dict(told)
    words = [str(parts.get("os") or "unknown"), str(parts.get("architecture") or "unknown"), parts.get("variant")]
    return clean("/".join(str(word) for word in words if word), 60)


def _version(name: str) -> tuple[Any, ...]:
    """A key by which 1.10 is after 1.9, a release after its candidates, and names without a number are last of all;
    `latest` counts as the newest."""
    parts = [int(part) if part.isdecimal() else part for part in NUMBERS.split(name[:128]) if part]
    key = [(1, part, "") if isinstance(part, int) else (0, 0, part) for part in parts]
    return (name == "latest", bool(NUMBERS.match(name.lstrip("vV"))), [*key, (0, 1, "")])
