"""Names of images and addresses of registries, as the docker command line reads them."""

import re
from dataclasses import dataclass

HUB = "docker.io"
HUB_API = "registry-1.docker.io"
HUB_NAMES = {HUB, HUB_API, "index.docker.io", "hub.docker.com", "www.docker.com", "registry.hub.docker.com"}
HUB_LOGIN = "https://index.docker.io/v1/"  # what engines call Docker Hub when they are given a login
NAME_AT_MOST = 400
COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# what the engine takes: [registry[:port]/]path[:tag][@digest]
REFERENCE = re.compile(
    rf"(?P<name>(?:(?P<host>[a-zA-Z0-9.-]+(?::[0-9]+)?)/)?{COMPONENT}(?:/{COMPONENT})*)"
    rf"(?::(?P<tag>[\w][\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?",
    re.ASCII,
)
LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
ADDRESS = re.compile(rf"(?P<host>{LABEL}(?:\.{LABEL})*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")


@dataclass(frozen=True)
class Reference:
    """An image's name taken apart. `name` is as it was written, without tag and digest; one of tag and digest is set,
    or neither."""

    name: str
    registry: str  # host[:port]; docker.io for Docker Hub
    repository: str
    tag: str
    digest: str

    @property
    def full(self) -> str:
        """With its digest, or its tag (`latest` when it has none)."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag or 'latest'}"


def parse_reference(text: str) -> Reference | None:
    """The parts of an image's name, None when it is none."""
    found = REFERENCE.fullmatch(text)
    if not found or len(text) > NAME_AT_MOST:
        return None
    name, tag, digest = found["name"], found["tag"] or "", found["digest"] or ""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = normal_address(first), rest
    else:
        registry, repository = HUB, name
    if not REPOSITORY.fullmatch(repository):  # a host's name in capital letters before no repository
        return None
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(name, registry, repository, "" if digest else tag, digest)


def normal_address(address: str) -> str:
    """A registry's address in the one form that is stored and compared."""
    address = address.lower()
    return HUB if address in HUB_NAMES else address


def image_name(registry: str, repository: str) -> str:
    """How an engine is told the image: as short as people write it."""
    return repository.removeprefix("library/") if registry == HUB else f"{registry}/{repository}"
