"""An error in a job's row, so that a request which waited for the job can raise it as if it had been its own."""

from collections.abc import Callable
from typing import Any

from common.errors import Conflict, Denied, DermagaError, Failure, Invalid, NotFound, PolicyRefused, QuotaExceeded

PLAIN: dict[str, type[DermagaError]] = {kind.__name__: kind for kind in (NotFound, Denied, Conflict)}
AT_FIELDS: dict[str, type[Invalid]] = {kind.__name__: kind for kind in (Invalid, PolicyRefused, QuotaExceeded)}
JSON = (str, int, float, bool, type(None))


def problem_of(error: DermagaError, clean: Callable[[str], str] = str) -> dict[str, Any]:
    """As JSON; `clean` takes secrets out of its words."""

    def safe(value: Any) -> Any:
        return value if isinstance(value, JSON) and not isinstance(value, str) else clean(str(value))

    return {
        "kind": type(error).__name__,
        "code": error.code,
        "status": error.status,
        "template": clean(error.template),
        "params": {name: safe(value) for name, value in error.params.items()},
        "detail": clean(error.detail),
        "field": error.field if isinstance(error, Invalid) else "",
        "others": [problem_of(one, clean) for one in error.others] if isinstance(error, Invalid) else [],
    }


def error_of(problem: dict[str, Any]) -> DermagaError:
    """The error again, in the language of whoever reads it now."""
    template, params = problem["template"], problem["params"]
    if at_field := AT_FIELDS.get(problem["kind"]):
        error = at_field(problem["field"], template, params)
        error.others = [one for other in problem["others"] if isinstance(one := error_of(other), Invalid)]
        return error
    if kind := PLAIN.get(problem["kind"]):
        known = kind(template, params)
        known.detail = problem["detail"]
        return known
    return Failure(problem["code"], problem["status"], template, params, problem["detail"])
