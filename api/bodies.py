"""What a body of a request says, and whether its form takes it."""

from typing import Any, TypeVar

from django.forms import BaseForm
from ninja import Schema

from common.errors import Invalid

Form = TypeVar("Form", bound=BaseForm)


def changes_in(body: Schema) -> dict[str, Any]:
    """The fields of a PATCH that are to change: one that is left out, or null, stays as it is."""
    return {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}


def valid(form: Form) -> Form:
    """The form itself. Raises Invalid for the first of its fields that is wrong."""
    if not form.is_valid():
        field, reasons = next(iter(form.errors.items()))
        raise Invalid(field, "%(reason)s", {"reason": " ".join(map(str, reasons))})
    return form
