"""Certificates for engines and clients, good ones and every kind of bad one, as PEM texts."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Certificate:
    """PEM texts: the certificate, its key, and the CA that the other side should trust."""

    ca: str
    cert: str
    key: str

    def write(self, folder: Path) -> Path:
        """Writes ca.pem, cert.pem and key.pem (0600), as the docker command line and dockerd want them."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.pem").write_text(self.ca)
        (folder / "cert.pem").write_text(self.cert)
        (folder / "key.pem").touch(mode=0o600)
        (folder / "key.pem").write_text(self.key)
        return folder


class Authority:
    """A CA of the tests' own. A second one is "the wrong CA"."""

    def __init__(self, name: str = "Dermaga test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - KEPT)
            .not_valid_after(now + KEPT)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def ca(self) -> str:
        """The CA's certificate, PEM."""
        return pem(self._certificate)

    def server(self, *names: str, expired: bool = False) -> Certificate:
        """A server's certificate for these names and addresses."""
        return self._issue(names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, expired)

    def client(self, name: str = "client", *, expired: bool = False, for_servers: bool = False) -> Certificate:
        """A client's certificate; `for_servers` makes one that only servers may use."""
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if for_servers else ExtendedKeyUsageOID.CLIENT_AUTH
        return self._issue(name, [], purpose, expired)

    def _issue(
        self, common_name: str, names: Sequence[str], purpose: x509.ObjectIdentifier, expired: bool
    ) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - KEPT)
            .not_valid_after(now - timedelta(days=1) if expired else now + KEPT)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False
            )
        return Certificate(self.ca, pem(builder.sign(self._key, hashes.SHA256())), private_pem(key))


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
