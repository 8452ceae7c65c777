"""Nobody is let in."""

from typing import Any

from common.errors import DermagaError


class NotLetIn(DermagaError):
    """An OpenID provider or a directory, called `name`, lets nobody in, or lets in who has no account here; `why`, for the
    audit and the log, is for administrators."""

    status = 403
    code = "not_let_in"

    def __init__(self, template: str, why: str, name: str, **params: Any) -> None:
        self.why = why
        super().__init__(template, {"name": name, **params})
