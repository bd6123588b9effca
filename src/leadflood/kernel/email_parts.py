"""A parsed address, in the forms that the other modules compare."""

import re
import unicodedata
from dataclasses import dataclass

import idna

_MAX_OCTETS = 320
"""64 for the local part, 255 for the domain, and the @ (RFC 5321, 4.5.3.1)."""


_COMBINING_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS_WITHOUT_PARTS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "æ": "ae"}
)
"""Letters that Unicode does not decompose into a letter and a mark."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address."""

    local: str
    """The local part as written, NFC."""

    mailbox: str
    """`local` without its subaddress (RFC 5233, separator `+`), quotes removed."""

    domain: str
    """The domain as A-labels in lower case (RFC 5890)."""

    shown_domain: str
    """The domain as U-labels."""


def parse_address(email: str) -> Address | None:
    """Parse `email`; None if it is not an address with usable facts."""
    local, at, domain = email.strip().rpartition("@")
    if not (local and at and domain) or len(email) > _MAX_OCTETS or _has_control_characters(email):
        return None
    ascii_domain = _to_a_labels(domain)
    if ascii_domain is None:
        return None
    local = unicodedata.normalize("NFC", local)
    unquoted = local[1:-1] if len(local) > 2 and local[0] == local[-1] == '"' else local  # noqa: PLR2004
    mailbox = unquoted.partition("+")[0] or unquoted
    return Address(local, mailbox, ascii_domain, to_u_labels(ascii_domain))


def to_u_labels(domain: str) -> str:
    """The domain in Unicode; unchanged if it cannot be decoded."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def fold(text: str) -> str:
    """Lower case without accents, for comparison with the word lists."""
    marks_apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS_WITHOUT_PARTS))
    return unicodedata.normalize("NFC", _COMBINING_MARKS.sub("", marks_apart))


def _to_a_labels(domain: str) -> str | None:
    lowered = domain.casefold().rstrip(".")
    if re.fullmatch(r"[a-z0-9_.-]+", lowered):
        return lowered if all(lowered.split(".")) else None
    try:
        return idna.encode(lowered, uts46=True).decode("ascii").lower()
    except UnicodeError:
        return None


def _has_control_characters(text: str) -> bool:
    # Cc: NUL and other controls, which PostgreSQL refuses; Cs: lone surrogates, which UTF-8 cannot encode.
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
