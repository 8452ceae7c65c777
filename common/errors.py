"""One tree for every error that a person sees: a sentence, a status, and a code for programs."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class DermagaError(Exception):
    """Something a person did or met cannot be done; `str()` is the sentence in the reader's language."""

    status = 400
    code = "error"
    template: str = gettext_noop("That cannot be done.")
    detail = ""  # a machine's own words

    def __init__(self, template: str = "", params: Mapping[str, Any] | None = None) -> None:
        """`template` is an English sentence with %(name)s places, marked for translation where it is written."""
        self.template = template or self.template
        self.params = dict(params or {})
        super().__init__(self.template)

    def __str__(self) -> str:
        sentence = str(_(self.template))
        return sentence % self.params if self.params else sentence

    @property
    def unsaid(self) -> str:
        """The machine's own words, where the sentence does not have them in it."""
        return "" if self.detail.strip(" .") in str(self) else self.detail

    @property
    def whole(self) -> str:
        """The sentence, and the machine's own words after it."""
        return f"{self} {self.unsaid}".strip()


class StillRunning(Exception):
    """What was asked for goes on as a job: no error, and no end yet either."""

    def __init__(self, job_id: int, title: str, target: str) -> None:
        self.job_id, self.title, self.target = job_id, title, target
        super().__init__(job_id)


class NotFound(DermagaError):
    """Unknown, or hidden from this user: the two look alike."""

    status = 404
    code = "not_found"
    template = gettext_noop("There is no such thing here, or you may not see it.")


class Denied(DermagaError):
    """Visible, but this user lacks the right to do that."""

    status = 403
    code = "denied"
    template = gettext_noop("Your role does not allow this. Ask an administrator.")


class Conflict(DermagaError):
    """The object is not in a state that allows this."""

    status = 409
    code = "conflict"


class Invalid(DermagaError):
    """A value is wrong; `field` names it."""

    status = 422
    code = "invalid"

    def __init__(self, field: str, template: str, params: Mapping[str, Any] | None = None) -> None:
        self.field = field
        self.others: list[Invalid] = []  # that are wrong as well
        super().__init__(template, params)


class PolicyRefused(Invalid):
    """The policy of a host does not allow what `field` asks for. The reason is a sentence of its own: params have its
    template, as "reason", and what it names."""

    status = 403
    code = "policy_refused"

    def __str__(self) -> str:
        reason = str(_(str(self.params["reason"]))) % self.params
        return str(_(self.template)) % {**self.params, "reason": reason}


class QuotaExceeded(Invalid):
    """A team may not have that as well. Its place is a host's name, or "" for all hosts together."""

    status = 403
    code = "quota_exceeded"

    def __str__(self) -> str:
        return str(_(self.template)) % {**self.params, "place": self.params["place"] or _("all hosts together")}


class Failure(DermagaError):
    """An engine or another server did not do what was asked; carries its code and its own words."""

    def __init__(
        self, code: str, status: int, template: str, params: Mapping[str, Any] | None = None, detail: str = ""
    ) -> None:
        self.code = code
        self.status = status
        self.detail = detail
        super().__init__(template, params)
