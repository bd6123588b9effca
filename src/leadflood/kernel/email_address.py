"""Email addresses: one parser for users and for leads."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

from leadflood.kernel.text import InvalidValue

MAX_EMAIL_OCTETS: Final = 254
_PLAIN: Final = re.compile(
    r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,63})"
)
"""Pattern of plain addresses, which most are. The full check takes ten times as long."""
_MAX_LOCAL, _MAX_DOMAIN = 64, 253
_INVALID: Final = "Enter a valid email address."
_LOCAL_DOMAIN: Final = re.compile(r"\.local$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address: `display` as written (NFC, domain in lower case), `norm` normalized for comparison.

    `norm` has the local part case-folded and the domain as IDNA A-labels; it is what is unique.
    """

    display: str
    norm: str

    def __str__(self) -> str:
        return self.display


def parse_email(text: str) -> EmailAddress:
    """An RFC 5321 mailbox with RFC 6531 international characters, at most 254 octets; no DNS is asked.

    Quoted local parts and plus addressing are accepted; display names, comments and address literals are not. Names
    that RFC 6761 reserves for tests and documentation (`acme.test`, `example.com`) and `.local` (RFC 6762) are
    accepted: demos and intranets live there. `.invalid`, `.localhost`, `.onion` and `.arpa` are refused.

    Raises: InvalidValue: the message suggests an address where it is likely which one was meant.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= MAX_EMAIL_OCTETS and len(plain[1]) <= _MAX_LOCAL and len(plain[2]) <= _MAX_DOMAIN:
        return EmailAddress(text, f"{plain[1].lower()}@{plain[2]}")
    stripped = text.strip()
    if len(stripped) > 2 * MAX_EMAIL_OCTETS:
        raise _too_long()
    try:
        return _read(stripped)
    except EmailNotValidError as exc:
        suggestion = _suggestion(stripped)
        if not suggestion and len(stripped.rpartition("@")[0].encode("utf-8", "replace")) > _MAX_LOCAL:
            raise _long_local() from exc
        raise InvalidValue(_INVALID + suggestion) from exc


def _read(text: str) -> EmailAddress:
    """Raises: EmailNotValidError: it is no address. InvalidValue: it is one that is too long."""
    local, domain, ascii_domain = _checked(text)
    display, folded = f"{local}@{domain}", _fold(local)
    norm = f"{folded}@{ascii_domain}"
    if max(len(local.encode()), len(folded.encode())) > _MAX_LOCAL:
        raise _long_local()
    if max(len(display.encode()), len(norm.encode())) > MAX_EMAIL_OCTETS:
        raise _too_long()
    return EmailAddress(display, norm)


def _suggestion(text: str) -> str:
    """The address that was probably meant, as a question."""
    from leadflood.kernel.email_typos import corrected_addresses  # noqa: PLC0415  only what is no address needs it

    for address in corrected_addresses(text):
        try:
            return f" Did you mean {_read(address)}?"
        except (EmailNotValidError, InvalidValue):
            continue
    return ""


def _checked(text: str) -> tuple[str, str, str]:
    """Local part, domain, and domain in A-labels. Raises: EmailNotValidError."""
    # email-validator refuses every .local name; .test passes exactly the same checks of syntax. Its limit of the local
    # part counts characters, where RFC 6531 (3.1) counts octets.
    checked = validate_email(
        _LOCAL_DOMAIN.sub(".test", text),
        check_deliverability=False,
        test_environment=True,
        allow_quoted_local=True,
        strict=True,
    )
    domain, ascii_domain = checked.domain, checked.ascii_domain
    if _LOCAL_DOMAIN.search(text):
        domain, ascii_domain = domain.removesuffix("test") + "local", ascii_domain.removesuffix("test") + "local"
    if "." not in domain:
        raise EmailNotValidError(_INVALID)
    return checked.local_part, domain, ascii_domain


def _long_local() -> InvalidValue:
    return InvalidValue(f"The part before the @ can have at most {_MAX_LOCAL} bytes.", "too_long")


def _too_long() -> InvalidValue:
    return InvalidValue(f"Maximum {MAX_EMAIL_OCTETS} bytes.", "too_long")


def _fold(text: str) -> str:
    """Unicode's canonical caseless form, which is stable under repeated folding."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
