"""Limits of notes."""

from typing import Final

from leadflood.kernel.text import InvalidValue, clean_block, is_blank

MAX_TEXT: Final = 10_000
"""Code points of a note."""


def clean_text(text: str) -> str:
    """The text of a note: lines of plain text, not blank. Raises: InvalidValue."""
    cleaned = clean_block(text, max_length=MAX_TEXT)
    if is_blank(cleaned):
        message = "Can't be blank."
        raise InvalidValue(message, "too_short")
    return cleaned
