"""Rows that a user pastes instead of a file."""

from leadflood.kernel.email_address import parse_email
from leadflood.kernel.text import InvalidValue

FILENAME = "Pasted rows.csv"
_HEADER = "Email"


def as_file(text: str) -> bytes:
    """Pasted rows as the bytes of a file. A list that begins with an email address gets a header."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    try:
        parse_email(first)
    except InvalidValue:
        return text.encode()
    return f"{_HEADER}\n{text}".encode()
