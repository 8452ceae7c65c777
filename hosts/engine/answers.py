"""What an engine says no with: the errors of an engine that was reached and has answered."""

from typing import Any

from hosts.engine.errors import EngineError, NotAnEngine, PlainToTLS, clean, gettext_noop


class Answered(EngineError):
    """The engine answered, and said no. `message` is its own sentence."""

    state = "refused"
    defaults = {"message": ""}

    def __init__(self, detail: object = "", **params: Any) -> None:
        params.setdefault("message", clean(detail).rstrip("."))
        super().__init__(detail, **params)


class NotFound(Answered):
    code = "not_found"
    status = 404
    template = gettext_noop("The engine at %(where)s does not have it: %(message)s. It may have been removed just now.")


class Conflict(Answered):
    code = "conflict"
    status = 409
    template = gettext_noop("The engine at %(where)s cannot do that now: %(message)s")


class BadRequest(Answered):
    code = "bad_request"
    status = 400
    template = gettext_noop("The engine at %(where)s did not accept the request: %(message)s")


class EngineFailed(Answered):
    code = "engine_failed"
    state = "unreachable"
    template = gettext_noop("The engine at %(where)s failed: %(message)s. Its own log on that machine says more.")


class NoSpace(Answered):
    code = "no_space"
    template = gettext_noop(
        "The engine at %(where)s has no space left on its disk: %(message)s. Free some there (the host's page of disk use "
        "says what can go), then start this again."
    )


class LogDriverUnreadable(Answered):
    code = "log_driver_unreadable"
    status = 409
    template = gettext_noop(
        "The logs of this container cannot be read from the engine at %(where)s: its log driver keeps none to read. "
        "Read them where the driver sends them, or use json-file or local."
    )


class ImageUnknown(Answered):
    code = "image_unknown"
    status = 404
    template = gettext_noop("The registry has no %(image)s: %(message)s. Check the name and the tag.")
    defaults = {"message": "", "image": ""}


class BuildFailed(Answered):
    code = "build_failed"
    status = 422
    template = gettext_noop("The build failed at “%(step)s”: %(message)s. The lines before it in the log say more.")
    defaults = {"message": "", "step": ""}


class RegistryRefused(Answered):
    code = "registry_refused"
    template = gettext_noop(
        "The registry does not give %(image)s to the engine at %(where)s: %(message)s. "
        "It may be private, or not exist. Choose an account that may have it."
    )
    defaults = {"message": "", "image": ""}


class RegistryUnreachable(Answered):
    code = "registry_unreachable"
    template = gettext_noop(
        "The engine at %(where)s cannot reach the registry of %(image)s: %(message)s. "
        "Check the registry's address, and that machine's network and DNS."
    )
    defaults = {"message": "", "image": ""}


class NotSupported(Answered):
    code = "not_supported"
    status = 501
    template = gettext_noop("The engine at %(where)s does not support this: %(message)s")


def from_answer(status: int, message: object, where: str) -> EngineError:
    """The error for an HTTP answer of an engine with `status` 300 to 599; `message` is the engine's text."""
    text = clean(message) or f"HTTP {status}"
    lower = text.lower()
    if "client sent an http request to an https server" in lower:
        return PlainToTLS(text, where=where)
    if "no space left on device" in lower:
        return NoSpace(text, where=where)
    if "does not support reading" in lower:
        return LogDriverUnreadable(text, where=where)
    if status == 501 or "not implemented" in lower:
        return NotSupported(text, where=where)
    if status == 404:
        return NotFound(text, where=where)
    if status in {409, 304}:
        return Conflict(text, where=where)
    if status < 400:
        return NotAnEngine(f"HTTP {status} {text}", where=where)
    if status < 500:
        return BadRequest(text, where=where)
    return EngineFailed(text, where=where)
