"""What can be wrong between us and an engine: one error tree, a sentence for each.

Every error has a stable `code`, an HTTP `status`, an English `template` with `params` (so that a page can say it in the
reader's language), and `detail`: the engine's or the library's own words, bounded.
"""

from typing import Any, ClassVar

from common.hiding import without_secrets
from hosts.engine.paths import shown

DETAIL_AT_MOST = 500  # characters of foreign text that an error carries
PARAM_AT_MOST = 1000
READ_AT_MOST = 64 * 1024


def gettext_noop(message: str) -> str:
    """Marks a text for makemessages; this layer knows no Django."""
    return message


def clean(text: object, at_most: int = DETAIL_AT_MOST) -> str:
    """Foreign text made safe to store and print: no control characters (PostgreSQL refuses NUL), bounded, without
    what is secret."""
    raw = without_secrets(str(text)[:READ_AT_MOST])
    printable = "".join(c if c.isprintable() else " " for c in raw)
    short = without_secrets(" ".join(printable.split()))
    return short if len(short) <= at_most else short[: at_most - 1] + "…"


class EngineError(Exception):
    """Something is wrong with an engine or the way to it. `str()` is the English sentence."""

    code: ClassVar[str] = "engine_error"
    status: ClassVar[int] = 502
    state: ClassVar[str] = "unreachable"  # what a host is called that fails like this
    template: str = gettext_noop("Something went wrong with the engine at %(where)s. Test the connection of this host.")
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, detail: object = "", *, where: object = "this host", **params: Any) -> None:
        self.params: dict[str, Any] = {**self.defaults, "where": clean(where, PARAM_AT_MOST)}
        for name, value in params.items():
            self.params[name] = value if isinstance(value, int | float) else clean(value, PARAM_AT_MOST)
        self.detail = clean(detail)
        super().__init__(self.template, self.params)

    def __str__(self) -> str:
        return self.template % self.params

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.template, self.params, self.detail)


def _rebuild(kind: type[EngineError], template: str, params: dict[str, Any], detail: str) -> EngineError:
    error = kind.__new__(kind)
    error.template, error.params, error.detail = template, params, detail
    error.args = (template, params)
    return error


class EndpointError(EngineError, ValueError):
    """An address, certificate or key that cannot be used as it was entered; `field` names the input.

    Fields: url, tls_ca, tls_cert, tls_key, ssh_key, ssh_known_hosts. `reason` is a template for `params`.
    """

    code = "bad_endpoint"
    status = 400

    def __init__(self, field: str, reason: str, **params: Any) -> None:
        self.field = field
        self.template = reason
        super().__init__(field=field, **params)

    @property
    def reason(self) -> str:
        """The English sentence."""
        return str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_endpoint, (self.params, self.template)


def _rebuild_endpoint(params: dict[str, Any], template: str) -> EndpointError:
    others = {name: value for name, value in params.items() if name != "field"}
    return EndpointError(params["field"], template, **others)


# ---------------------------------------------------------------- the way to the engine
class Refused(EngineError):
    code = "refused"
    state = "refused"
    template = gettext_noop(
        "%(where)s refused the connection: nothing listens there. Check the port, and that the engine runs."
    )


class TimedOut(EngineError):
    code = "timed_out"
    status = 504
    template = gettext_noop(
        "%(where)s did not answer within %(seconds)s s. Check that the machine is up, not overloaded, "
        "and that no firewall drops the packets."
    )
    defaults = {"seconds": "10"}

    def __init__(self, detail: object = "", *, seconds: float = 10, **params: Any) -> None:
        super().__init__(detail, seconds=f"{seconds:.3g}", **params)


class NameUnknown(EngineError):
    code = "name_unknown"
    template = gettext_noop(
        "The name %(name)s is unknown: no address was found for it. Check the spelling and this machine's DNS."
    )
    defaults = {"name": ""}


class NoRoute(EngineError):
    code = "no_route"
    template = gettext_noop("There is no way to %(where)s: the network or the machine is down. Check both.")


class NoSocket(EngineError):
    code = "no_socket"
    template = gettext_noop("There is no socket at %(where)s. Check the path, and that the engine runs.")


class Permission(EngineError):
    code = "permission"
    state = "refused"
    template = gettext_noop(
        "The user that Dermaga runs as may not use %(where)s. Add that user to the socket's group "
        "(for Docker: docker) and start Dermaga again."
    )


class ConnectionLost(EngineError):
    code = "connection_lost"
    template = gettext_noop("The connection to %(where)s was lost. It is made again by itself; if not, test the host.")


class NodeAway(EngineError):
    code = "node_away"
    status = 503
    template = gettext_noop(
        "The node %(node)s is away (%(state)s), and the log of a task is on its node. It is shown when the node is back."
    )
    defaults = {"node": "", "state": "down"}


class NotAnEngine(EngineError):
    code = "not_an_engine"
    state = "refused"
    template = gettext_noop(
        "What answers at %(where)s is no container engine. "
        "Check the address and the port (Docker: 2375, with TLS 2376)."
    )


class APITooOld(EngineError):
    code = "api_too_old"
    state = "refused"
    template = gettext_noop(
        "The engine at %(where)s speaks the API up to %(api)s only; %(needed)s or newer is needed. "
        "Update it to Docker 19.03 or newer."
    )
    defaults = {"api": "?", "needed": "1.40"}


class APITooNew(EngineError):
    code = "api_too_new"
    state = "refused"
    template = gettext_noop(
        "The engine at %(where)s speaks the API from %(api)s on only; Dermaga speaks up to %(needed)s. Update Dermaga."
    )
    defaults = {"api": "?", "needed": "1.55"}


# ---------------------------------------------------------------- TLS
class WrongCA(EngineError):
    code = "wrong_ca"
    state = "wrong_certificate"
    template = gettext_noop(
        "The certificate of %(where)s was not signed by the CA given for this host. "
        "Give the CA certificate (ca.pem) that signed the engine's certificate."
    )


class CertificateExpired(EngineError):
    code = "certificate_expired"
    state = "wrong_certificate"
    template = gettext_noop(
        "The certificate of %(where)s has expired. Renew it on that machine, or correct this machine's clock."
    )


class CertificateNotYetValid(EngineError):
    code = "certificate_not_yet_valid"
    state = "wrong_certificate"
    template = gettext_noop("The certificate of %(where)s is not valid yet. Correct the clocks of both machines.")


class CertificateName(EngineError):
    code = "certificate_name"
    state = "wrong_certificate"
    template = gettext_noop(
        "The certificate of %(where)s is for another name than %(name)s. Use a name it was made for, "
        "or make one that lists %(name)s as a subject alternative name."
    )
    defaults = {"name": ""}


class TLSToPlain(EngineError):
    code = "tls_to_plain"
    state = "refused"
    template = gettext_noop(
        "%(where)s does not speak TLS. "
        "Connect without TLS, use the engine's TLS port (often 2376), or switch its TLS on."
    )


class PlainToTLS(EngineError):
    code = "plain_to_tls"
    state = "refused"
    template = gettext_noop("%(where)s speaks TLS only. Choose TLS for this host and give the CA, certificate and key.")


class ClientCertificateRefused(EngineError):
    code = "client_certificate_refused"
    state = "refused"
    template = gettext_noop(
        "%(where)s refused the client certificate, or wants one. Give a certificate (for client use, not expired) "
        "signed by the CA that the engine trusts, and its key."
    )


# ---------------------------------------------------------------- SSH
class SSHKeyRefused(EngineError):
    code = "ssh_key_refused"
    state = "refused"
    template = gettext_noop(
        "%(where)s refused the SSH key of user %(user)s. Add the key's public half to that user's authorized_keys."
    )
    defaults = {"user": ""}


class SSHHostKeyChanged(EngineError):
    code = "ssh_host_key_changed"
    state = "wrong_certificate"
    template = gettext_noop(
        "The SSH host key of %(where)s has changed: expected %(expected)s, got %(got)s. "
        "Either the machine was set up anew or somebody is in between. Compare with the machine's own key before you enter the new one."
    )
    defaults = {"expected": "", "got": "", "line": ""}


class SSHHostKeyUnknown(EngineError):
    code = "ssh_host_key_unknown"
    state = "wrong_certificate"
    template = gettext_noop(
        "The SSH host key of %(where)s is not known here: it is %(got)s. Compare it with the machine's own key, "
        "then enter its line as known host."
    )
    defaults = {"got": "", "line": ""}


class SSHNoSocket(EngineError):
    code = "ssh_no_socket"
    template = gettext_noop(
        "SSH to %(where)s works, but no engine's socket answers there (%(path)s). "
        "Check that the engine runs and that the user %(user)s may use it."
    )
    defaults = {"path": "/var/run/docker.sock", "user": ""}


# ---------------------------------------------------------------- answers of an engine


class OtherPlatform(EngineError):
    code = "other_platform"
    status = 422
    template = gettext_noop(
        "The image was built for %(found)s, not for %(wanted)s: an image that it is built upon is on the host for %(found)s. "
        "Pull those images too, or choose others."
    )
    defaults = {"found": "", "wanted": ""}


class BadContext(EngineError):
    code = "bad_context"
    status = 422
    template = gettext_noop(
        "The files to build from cannot be used: %(message)s. Send a tar, or a tar.gz, of a folder."
    )
    defaults = {"message": ""}

    def __init__(self, detail: object = "", **params: Any) -> None:
        params.setdefault("message", clean(detail).rstrip("."))
        super().__init__(detail, **params)


# ---------------------------------------------------------------- paths in containers
class PathRefused(EngineError):
    """A path that cannot be used like that; `reason` is a template with a place for the %(path)s."""

    code = "path_refused"
    status = 409

    def __init__(self, reason: str, path: str, **params: Any) -> None:
        self.template = reason
        super().__init__(path=shown(path), **params)


class NoPath(EngineError):
    code = "no_path"
    status = 404
    template = gettext_noop("There is no %(path)s here. It may have been removed just now.")

    def __init__(self, path: str) -> None:
        super().__init__(path=shown(path))


def translate(exc: BaseException, endpoint: Any, *, seconds: float = 10) -> EngineError:
    """Any exception of a socket, TLS, HTTP or docker library as an EngineError; looks at the deepest cause.

    `endpoint` is a hosts.engine.endpoint.Endpoint; `seconds` is the deadline that applied, for the sentence.
    """
    from hosts.engine.causes import classify  # imports every library concerned, and this module

    return classify(exc, endpoint, seconds)
