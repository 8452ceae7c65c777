"""What quotas ask an engine with."""

from collections.abc import Mapping
from typing import Any, Protocol

from hosts.models import Host


class Asks(Protocol):
    """What a request is sent by."""

    host: Host

    def container(self, ref: str) -> Any:
        """A container's inspect answer, or None."""

    def image(self, ref: str) -> Any:
        """An image's inspect answer, or None."""

    def find(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The decoded answer to a GET; None where there is nothing."""
