"""A certificate authority that exists for one run, and the certificates of the websites."""

import ssl
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leadflood.kernel.clock import utc_now

_LIFE: Final = timedelta(days=30)
_ORGANIZATION: Final = "LEAD-FLOOD demo"


class CertificateFault(StrEnum):
    """Faults of a website's certificate."""

    EXPIRED = "expired"
    WRONG_NAME = "wrong_name"
    SELF_SIGNED = "self_signed"


class Authority:
    """Makes certificates. All of them share one private key, which never leaves this machine."""

    def __init__(self, folder: Path, *, now: datetime | None = None) -> None:
        """Args: folder: for the files that `ssl` reads. now: the present time."""
        self._now = now or utc_now()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._site_key = ec.generate_private_key(ec.SECP256R1())
        self._folder = folder
        self._name = _name("Demo authority")
        self.certificates = folder / "authority.pem"
        """The file with the certificate of the authority, for clients."""
        root = (
            self._builder(self._name, self._key, self._now - timedelta(days=1), self._now + _LIFE)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificates.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def context_of(self, name: str, fault: CertificateFault | None = None) -> ssl.SSLContext:
        """TLS context of a server with this name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        encoded = self._certificate(name, fault).public_bytes(serialization.Encoding.PEM)
        encoded += self._site_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            file.write(encoded)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _certificate(self, name: str, fault: CertificateFault | None) -> x509.Certificate:
        end = self._now - timedelta(days=2) if fault is CertificateFault.EXPIRED else self._now + _LIFE
        own = fault is CertificateFault.SELF_SIGNED
        shown = f"other.{name}" if fault is CertificateFault.WRONG_NAME else name
        subject = _name(shown[:64])
        authority_key = self._site_key if own else self._key
        return (
            self._builder(subject, self._site_key, end - _LIFE, end)
            .issuer_name(subject if own else self._name)
            .add_extension(x509.SubjectAlternativeName(_alternatives(shown)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(authority_key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _alternatives(name: str) -> Sequence[x509.GeneralName]:
    return [x509.DNSName(name), x509.DNSName(f"www.{name}")]


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
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
