"""TLS: certificates are always verified, and one that is not valid is explained."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpcore2
from cryptography import x509

from leadflood.kernel.door.addresses import IPAddress
from leadflood.kernel.door.dialer import Dialer, dial_first
from leadflood.kernel.door.errors import CertificateRejected, DoorError
from leadflood.kernel.door.targets import RequestTarget

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_EXPIRED: Final = 10
_NOT_YET_VALID: Final = 9
_NOT_TRUSTED: Final = frozenset({18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})


def new_ssl_context(authorities: Path | None = None) -> ssl.SSLContext:
    """Verifies certificates against the system's authorities, or those of a file; TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def verification_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refusal of a certificate in a chain of causes."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


async def certificate_error(
    error: ssl.SSLCertVerificationError, dialer: Dialer, target: RequestTarget, addresses: Sequence[IPAddress]
) -> CertificateRejected:
    """Explain a refused certificate. The date of an expired one is read from the server again."""
    code, host = error.verify_code, target.host
    if code == _EXPIRED:
        end = await _end_of_certificate(dialer, target, addresses)
        on = "" if end is None else f" on {end.day} {end:%B %Y}"
        return CertificateRejected(f"The certificate of {host} expired{on}.", "expired")
    if code == _NOT_YET_VALID:
        return CertificateRejected(f"The certificate of {host} is not valid yet.", "invalid")
    if code in _WRONG_NAME:
        return CertificateRejected(f"The certificate of {host} is for another domain.", "wrong_name")
    if code in _NOT_TRUSTED:
        return CertificateRejected(f"The certificate of {host} is not from a trusted authority.", "not_trusted")
    return CertificateRejected(f"The certificate of {host} is not valid.", "invalid")


async def _end_of_certificate(dialer: Dialer, target: RequestTarget, addresses: Sequence[IPAddress]) -> datetime | None:
    """End of validity of the server's certificate. The connection is closed before any data is sent."""
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        _, stream = await dial_first(dialer, addresses, target.port)
        wrapped = await stream.start_tls(unverified, target.host)
    except (DoorError, httpcore2.ConnectError, httpcore2.ConnectTimeout):
        return None
    encoded = wrapped.get_extra_info("ssl_object").getpeercert(binary_form=True)
    await wrapped.aclose()
    try:
        return x509.load_der_x509_certificate(encoded).not_valid_after_utc.astimezone(UTC)
    except ValueError:
        return None
