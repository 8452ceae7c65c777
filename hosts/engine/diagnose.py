"""A second look at a failed connection, for faults whose first sign says too little.

In TLS 1.3 a refused client certificate shows only after the handshake, and may come as a reset; a plain request to a
TLS server that is not Docker's ends in silence or in a binary alert. Each look is one more short connection.
"""

import contextlib
import ssl

from cryptography import x509

from common.connections import Deadline
from hosts.engine.causes import REFUSED_ALERTS, classify
from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.errors import (
    CertificateExpired,
    CertificateName,
    CertificateNotYetValid,
    ClientCertificateRefused,
    ConnectionLost,
    EngineError,
    PlainToTLS,
    TLSToPlain,
    WrongCA,
)
from hosts.engine.tls import tls_context
from hosts.engine.transport import connect_tcp

LOOK_SECONDS = 2.0  # at most, for each look
CERTIFICATE_ERRORS = (CertificateExpired, CertificateNotYetValid, CertificateName, WrongCA)


def look_closer(endpoint: Endpoint, error: EngineError, deadline: Deadline) -> EngineError:
    """A more exact error than `error` when there is one to be found within the deadline; else `error`."""
    try:
        if endpoint.kind == "tcp" and isinstance(error, ConnectionLost):
            return PlainToTLS(error.detail, where=endpoint.address) if _speaks_tls(endpoint, deadline) else error
        if endpoint.kind == "tls" and isinstance(error, CERTIFICATE_ERRORS):
            return _with_certificate(endpoint, error, deadline)
        if endpoint.kind == "tls" and isinstance(error, ConnectionLost):
            return _refusal(endpoint, deadline) or error
    except (OSError, EngineError):
        pass  # what was found first stands
    return error


def _unverified() -> ssl.SSLContext:
    """For looking only: nothing is ever sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _speaks_tls(endpoint: Endpoint, deadline: Deadline) -> bool:
    short = deadline.at_most(LOOK_SECONDS)
    with connect_tcp(endpoint, short) as plain:
        plain.settimeout(short.left())
        try:
            with _unverified().wrap_socket(plain, server_hostname=endpoint.parsed.host):
                return True
        except ssl.SSLError as error:
            return "ALERT" in (getattr(error, "reason", None) or "")  # only TLS answers with an alert


def _refusal(endpoint: Endpoint, deadline: Deadline) -> EngineError | None:
    """Shakes hands and waits without a word: a server that refuses us says so now, and no write of ours hides it."""
    short = deadline.at_most(LOOK_SECONDS)
    with connect_tcp(endpoint, short) as plain:
        plain.settimeout(short.left())
        try:
            sock = tls_context(endpoint.tls or TLSMaterial()).wrap_socket(plain, server_hostname=endpoint.parsed.host)
        except (ssl.SSLEOFError, ConnectionResetError):
            return TLSToPlain(where=endpoint.address) if _speaks_http(endpoint, deadline) else None
        except ssl.SSLError as error:
            return _said(error, endpoint)
        with sock:
            try:
                sock.settimeout(short.left())
                if sock.recv(1):
                    return None
            except TimeoutError:
                return None
            except (ssl.SSLEOFError, ConnectionResetError):
                pass
            except ssl.SSLError as error:
                return _said(error, endpoint)
    return _refused_in_older_tls(endpoint, deadline)


def _refused_in_older_tls(endpoint: Endpoint, deadline: Deadline) -> EngineError | None:
    """Who hung up after the handshake without a word may have refused our certificate, or have nothing behind it, as a
    proxy. In TLS 1.2 the certificate is judged within the handshake: it ends well unless it is refused."""
    short = deadline.at_most(LOOK_SECONDS)
    context = tls_context(endpoint.tls or TLSMaterial())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect_tcp(endpoint, short) as plain:
        plain.settimeout(short.left())
        try:
            with context.wrap_socket(plain, server_hostname=endpoint.parsed.host):
                return None
        except TimeoutError:
            return None
        except (ssl.SSLError, ConnectionResetError) as error:
            return _said(error, endpoint) or ClientCertificateRefused(
                "closed after the handshake", where=endpoint.address
            )


def _said(error: Exception, endpoint: Endpoint) -> EngineError | None:
    """The refusal that a TLS alert says."""
    refused = any(alert in (getattr(error, "reason", None) or "") for alert in REFUSED_ALERTS)
    return classify(error, endpoint, LOOK_SECONDS) if refused else None


def _speaks_http(endpoint: Endpoint, deadline: Deadline) -> bool:
    short = deadline.at_most(LOOK_SECONDS)
    with connect_tcp(endpoint, short) as sock, contextlib.suppress(OSError):
        sock.settimeout(short.left())
        sock.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return sock.recv(5) == b"HTTP/"
    return False


def _with_certificate(endpoint: Endpoint, error: EngineError, deadline: Deadline) -> EngineError:
    """The same error with what the certificate says: whom it is for, until when, who signed it."""
    certificate = _peer_certificate(endpoint, deadline)
    if certificate is None:
        return error
    if isinstance(error, CertificateName):
        words = "it is for: " + ", ".join(_names(certificate))
    elif isinstance(error, CertificateExpired):
        words = f"valid until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    elif isinstance(error, CertificateNotYetValid):
        words = f"valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    else:
        words = f"it was signed by {certificate.issuer.rfc4514_string() or 'nobody'}"
    params = {name: value for name, value in error.params.items() if name != "where"}
    return type(error)(f"{error.detail}; {words}", where=endpoint.address, **params)


def _peer_certificate(endpoint: Endpoint, deadline: Deadline) -> x509.Certificate | None:
    short = deadline.at_most(LOOK_SECONDS)
    with connect_tcp(endpoint, short) as plain:
        plain.settimeout(short.left())
        with _unverified().wrap_socket(plain, server_hostname=endpoint.parsed.host) as sock:
            der = sock.getpeercert(binary_form=True)
    try:
        return x509.load_der_x509_certificate(der) if der else None
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [certificate.subject.rfc4514_string() or "nobody"]
    return [str(name.value) for name in list(found)[:20]]
