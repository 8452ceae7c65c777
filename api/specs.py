"""The body that creates a container: its specification, or a text of it."""

from dataclasses import fields
from typing import Any

from django.utils.translation import gettext_noop
from pydantic import RootModel
from pydantic.dataclasses import dataclass

from common.errors import Invalid
from hosts.specs.compose_in import from_compose
from hosts.specs.run_line import Read, from_run
from hosts.specs.spec import STRICT, ContainerSpec

TWICE = gettext_noop("Give a specification, a docker run line or a compose file: one of the three.")


@dataclass(config=STRICT)
class Asked(ContainerSpec):
    """A specification; instead of it `run` (a docker run line) or `compose` (a file; `service` names one of several).
    `account` logs in when the image is pulled: its id, 0 for no login, else the default account of its registry."""

    run: str = ""
    compose: str = ""
    service: str = ""
    start: bool | None = None  # None: as the text says, else yes
    account: int | None = None


class Create(RootModel[Asked]):
    """What is created."""

    @property
    def account(self) -> int | None:
        """Who logs in to pull."""
        asked: Any = self.root
        chosen: int | None = asked.account
        return chosen

    def read(self) -> Read:
        """The specification and whether to start. Raises Invalid."""
        asked: Any = self.root
        if asked.run or asked.compose:
            if asked.image or (asked.run and asked.compose):
                raise Invalid("run", TWICE)
            found = from_run(asked.run) if asked.run else from_compose(asked.compose, asked.service)
        else:
            found = Read(ContainerSpec(**{entry.name: getattr(asked, entry.name) for entry in fields(ContainerSpec)}))
        if asked.start is not None:
            found.start = asked.start
        return found
