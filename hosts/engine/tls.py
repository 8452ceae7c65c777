"""TLS towards an engine: contexts made from PEM texts, with errors that name the field that is wrong."""

import os
import ssl
import tempfile
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hosts.engine.endpoint import TLSMaterial
from hosts.engine.errors import EndpointError, gettext_noop


@lru_cache(maxsize=256)
def shared_context(material: TLSMaterial) -> ssl.SSLContext:
    """`tls_context`, made once for each material: making one costs milliseconds, the system's CAs twenty."""
    return tls_context(material)


def tls_context(material: TLSMaterial) -> ssl.SSLContext:
    """A client context that trusts the given CA alone (without one: the system's). Raises EndpointError."""
    ca = material.ca.strip()
    if ca:
        _certificates("tls_ca", ca)
    context = ssl.create_default_context(cadata=ca or None)
    # Python 3.13 is strict by default and then refuses the CAs that Docker's own instructions make
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if material.cert.strip():
        _check_pair(material)
        _load_pair(context, material)
    return context


def check_material(material: TLSMaterial) -> None:
    """Raises EndpointError for a certificate or key that cannot be used; connects to nothing."""
    tls_context(material)


def _certificates(field: str, text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        reason = gettext_noop(
            "This is no certificate in PEM form. Paste the file from -----BEGIN CERTIFICATE----- to the end."
        )
        raise EndpointError(field, reason) from None


def _private_key(text: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.strip().encode(), None)
    except TypeError:
        reason = gettext_noop(
            "This key is protected by a passphrase. Give it without one: openssl pkey -in key.pem -out plain.pem."
        )
    except (ValueError, UnsupportedAlgorithm):
        reason = gettext_noop(
            "This is no private key in PEM form. Paste the file from -----BEGIN PRIVATE KEY----- to the end."
        )
    raise EndpointError("tls_key", reason)


def _check_pair(material: TLSMaterial) -> None:
    certificate = _certificates("tls_cert", material.cert.strip())[0]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != _private_key(material.key).public_key().public_bytes(*form):
        raise EndpointError(
            "tls_key",
            gettext_noop("This key does not belong to the client certificate. Give the one it was made with."),
        )


def _load_pair(context: ssl.SSLContext, material: TLSMaterial) -> None:
    # Python loads a chain from files only: one in a private folder, gone again at once
    with tempfile.TemporaryDirectory(prefix="dermaga-tls-") as folder:
        path = os.path.join(folder, "both.pem")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{material.cert.strip()}\n{material.key.strip()}\n")
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            reason = gettext_noop("TLS does not take this client certificate: %(words)s. Make a new one.")
            raise EndpointError("tls_cert", reason, words=error.reason or str(error)) from error
