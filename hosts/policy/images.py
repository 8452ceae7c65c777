"""Images: which may be used, and that they come from where they are allowed from."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

ID = re.compile(r"(?:sha256:)?[0-9a-fA-F]{4,64}")
IMAGE = gettext_noop("The image %(what)s is not on the list of images.")
MADE = gettext_noop("Only images of the list are allowed, and what is in this one nobody has listed.")


def check(field: str, image: Any, rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    """Of the image that something runs from."""
    name = str(image or "")
    if not rules.images or _is_listed(name, rules):
        return
    if ID.fullmatch(name):
        found = lookup.image(name) or {}
        known = [*(found.get("RepoDigests") or []), *(found.get("RepoTags") or [])]
        if any(_is_listed(str(one), rules) for one in known):
            return
    yield Refusal("images", field, IMAGE, {"what": name[:200]})


def check_made(rules: Rules, field: str = "") -> list[Refusal]:
    """Of an image whose content is made or brought here: built, loaded, imported, committed, copied, named."""
    return [Refusal("images", field, MADE)] if rules.images else []


def check_pull(name: str, tag: str, rules: Rules, field: str = "reference") -> list[Refusal]:
    """Of a pull; without a tag, of all of them."""
    mark = "@" if ":" in tag else ":"
    whole = f"{name}{mark}{tag}" if tag else name
    listed = not rules.images or _is_listed(whole, rules)
    return [] if listed else [Refusal("images", field, IMAGE, {"what": whole[:200]})]


def _is_listed(name: str, rules: Rules) -> bool:
    if ID.fullmatch(name):  # an engine takes it for an id, whatever repository may be called so
        return False
    repository, tag, digest = _parts(name)
    return any(_matches(repository, tag, digest, pattern) for pattern in rules.images)


def _matches(repository: str, tag: str, digest: str, pattern: str) -> bool:
    wanted, its_tag, its_digest = _parts(pattern)
    if not fnmatchcase(repository, wanted):
        return False
    if its_digest:
        return bool(digest) and fnmatchcase(digest, its_digest)
    # by a digest an engine does not look at the tag
    return not its_tag or (not digest and fnmatchcase(tag or "latest", its_tag))


def _parts(name: str) -> tuple[str, str, str]:
    """Repository with its registry, tag and digest."""
    rest, _at, digest = name.partition("@")
    folder, slash, last = rest.rpartition("/")
    last, _colon, tag = last.partition(":")
    return _whole(folder + slash + last), tag, digest


def _whole(repository: str) -> str:
    first, slash, rest = repository.partition("/")
    if first == "index.docker.io":
        first, repository = "docker.io", f"docker.io/{rest}"
    if slash and (first == "localhost" or first != first.lower() or set(first) & set(".:*")):
        return repository if first != "docker.io" or "/" in rest else f"docker.io/library/{rest}"
    return repository if repository == "*" else f"docker.io/{'' if slash else 'library/'}{repository}"
