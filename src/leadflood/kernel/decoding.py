"""Encodings of Unicode, by the first bytes of a text."""

import codecs
from typing import Final

UNICODE_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


class NotText(ValueError):
    """The bytes are no text: too many of them are NUL."""


def marked_encoding(start: bytes) -> str | None:
    """The encoding whose byte order mark a text begins with. UTF-32's mark begins with that of UTF-16."""
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, by where the bytes are NUL that a Latin text has in it; None for a text without them.

    A few stray NUL bytes are none of it. Raises: NotText: they fit neither.
    """
    places = [start[place::_WIDTH] for place in range(_WIDTH)]
    nuls = [part.count(0) / max(len(part), 1) for part in places]
    if sum(nuls) <= _MAX_NULS * _WIDTH:
        return None
    found = _BY_PLACE.get("".join("0" if share >= _MANY else "x" for share in nuls))
    if found is None:
        raise NotText
    return found


_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDTH: Final = 4
_MAX_NULS: Final = 0.1
_MANY: Final = 0.2
_BY_PLACE: Final = {
    "x000": "utf-32-le",
    "000x": "utf-32-be",
    "xx00": "utf-32-le",
    "00xx": "utf-32-be",
    "x0x0": "utf-16-le",
    "0x0x": "utf-16-be",
}
"""By which of four bytes are mostly NUL. In UTF-32 the second may be, where the text is not Latin."""
