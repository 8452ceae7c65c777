"""What can be wrong with a target of the audit: a sentence for each. `where` is its address."""

from hosts.engine.errors import EngineError, gettext_noop


class ForwardError(EngineError):
    """Something is wrong with it, or with the way to it."""

    code = "forward_failed"
    template = gettext_noop("%(where)s did not take the audit: %(words)s.")
    defaults = {"words": ""}

    def __init__(self, detail: object = "", **params: object) -> None:
        params.setdefault("words", str(detail).rstrip(".") or "?")
        super().__init__(detail, **params)


class Unreachable(ForwardError):
    code = "forward_unreachable"
    template = gettext_noop(
        "%(where)s cannot be reached: %(words)s. Check the address, the port, and the network and DNS."
    )


class Slow(ForwardError):
    code = "forward_timed_out"
    status = 504
    template = gettext_noop(
        "%(where)s did not take the audit within %(seconds)s s. Check that it is up and not overloaded."
    )


class Untrusted(ForwardError):
    code = "forward_untrusted"
    template = gettext_noop(
        "The certificate of %(where)s is not trusted: %(words)s. If a CA of your own signed it, give that CA's certificate."
    )


class Answered(ForwardError):
    code = "forward_refused"
    template = gettext_noop("%(where)s answered HTTP %(status)s. It has to answer 200 to 299 to what it has stored.")


class Redirected(ForwardError):
    code = "forward_redirected"
    template = gettext_noop(
        "%(where)s redirects elsewhere, and nothing is sent there. Give the address that it leads to."
    )


class ForbiddenAddress(ForwardError):
    code = "forward_forbidden_address"
    status = 400
    template = gettext_noop(
        "%(where)s leads to %(address)s, an address that Dermaga does not visit: it is local to this machine's network "
        "card or belongs to a cloud's metadata service."
    )


class InsideAddress(ForwardError):
    code = "forward_inside_address"
    status = 400
    template = gettext_noop(
        "%(where)s leads to %(address)s, inside a private network. Dermaga goes there only if somebody who manages all hosts "
        "stored that address. Ask one of them."
    )
