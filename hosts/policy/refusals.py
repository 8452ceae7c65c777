"""What the checker answers, and what it asks."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol


@dataclasses.dataclass(frozen=True)
class Refusal:
    """One thing that was asked for and is not allowed: the `rule` by its name in Rules, the form's `field`, and a sentence
    for translation with its `params`."""

    rule: str
    field: str
    template: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Lookup(Protocol):
    """What names lead to. Each gives None for what is not there, or is not known."""

    def volume(self, name: str) -> Mapping[str, Any] | None:
        """A volume's inspect answer: Driver, Options."""

    def network(self, name: str) -> Mapping[str, Any] | None:
        """A network's inspect answer: Driver, Options."""

    def image(self, name: str) -> Mapping[str, Any] | None:
        """An image's inspect answer: RepoTags, RepoDigests."""

    def container(self, name: str) -> Mapping[str, Any] | None:
        """The inspect answer of a container that who asks sees and operates; an empty one where it is not known."""


class NothingKnown:
    """A look-up without an engine: no volume, network or image is there, and no container is one's own."""

    def volume(self, name: str) -> None:
        """Nothing."""

    def network(self, name: str) -> None:
        """Nothing."""

    def image(self, name: str) -> None:
        """Nothing."""

    def container(self, name: str) -> None:
        """None is."""
