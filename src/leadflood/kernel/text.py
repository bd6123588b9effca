"""Text as people paste it, made safe to store, to show and to compare.

All functions are pure, and cleaning twice equals cleaning once. Lengths are counted in code points after cleaning.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_REFUSED = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]")
_STRIPPED = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\ufeff]")
_PLAIN = re.compile("[!-~\u00c0-\u00ff]+(?: [!-~\u00c0-\u00ff]+)*")
"""Text that cleaning does not change, which most text is. This check is ten times as fast as cleaning."""
_LINE_BREAK = re.compile("\r\n|[\r\u2028\u2029]")
_SPACES = re.compile("[ \t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_NFC_SHRINKS_BY = 4
"""A canonical decomposition has at most four code points, so longer input cannot come back under the limit."""
_MAX_MARKS = 30
"""Maximum consecutive combining marks, as in stream-safe text (UAX 15): normalization takes quadratic time for more."""
_MARKS_END = 0x20000
_MARKS_IN_DISGUISE = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""Characters that are no combining marks, and that decompose into nothing else (NFKD)."""
_ACCENT_CLASSES = frozenset({*range(10, 37), *range(200, 256)})
"""Combining classes of accents, niqqud and harakat. Not of Indic, Thai or kana marks: those make another letter."""
_BASE_LETTERS = str.maketrans(
    {
        "\u00e6": "ae",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u00fe": "th",
        "\u0111": "d",
        "\u0127": "h",
        "\u0131": "i",
        "\u0142": "l",
        "\u0153": "oe",
        "\u0167": "t",
    }
)
"""Latin letters whose stroke or ligature Unicode does not decompose, and the Turkish dotless i."""


class InvalidValue(ValueError):
    """An invalid value: a stable code, and a message with the remedy."""

    def __init__(self, message: str, code: str = "invalid_format") -> None:
        super().__init__(message)
        self.code = code


def clean_line(text: str, *, max_length: int) -> str:
    """Single-line text: NFC, trimmed, every run of whitespace (pasted line breaks included) made one space.

    Bidirectional overrides and isolates (U+202A to 202E, U+2066 to 2069), U+200B and U+FEFF are stripped, not refused:
    they ride along with text pasted from web pages and mails, people cannot see or remove them, and they can make a
    name read as another. The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji need them.

    Raises: InvalidValue: with code `invalid_characters` for NUL, other C0 and C1 controls, lone surrogates and
        noncharacters; `too_short` where nothing visible is left; `too_long` above `max_length` code points.
    """
    if len(text) <= max_length and _PLAIN.fullmatch(text):
        return text
    line = _SPACES.sub(" ", _normalise(text, max_length)).strip(" ")
    if all(unicodedata.category(char) in {"Cf", "Zs"} for char in line):
        message = "Can't be blank."
        raise InvalidValue(message, "too_short")
    return _within(line, max_length)


def clean_block(text: str, *, max_length: int) -> str:
    r"""Text of several lines: as `clean_line`, but line breaks stay (as `\n`), so do inner spaces; it may be empty.

    Raises: InvalidValue: with code `invalid_characters` or `too_long`.
    """
    if len(text) <= max_length and _PLAIN.fullmatch(text):
        return text
    return _within(_LINE_BREAK.sub("\n", _normalise(text, max_length)).replace("\t", " ").strip(), max_length)


def is_blank(text: str) -> bool:
    """Whether nothing in the text is visible: it is empty, or all spaces, line breaks and invisible characters."""
    if text.isascii():
        return not text or text.isspace()
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


def search_key(text: str) -> str:
    """The form in which text is searched: what looks or sounds alike to a person in a hurry has the same key.

    Case-folded, compatibility-decomposed (Unicode's NFKD), without accents, Arabic vowel marks, Hebrew points and
    invisible format characters; whitespace and control characters become single spaces. "jose" finds "José",
    "strasse" finds "Straße", "istanbul" finds "İSTANBUL". Letters of other scripts stay as they are.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.casefold().split())
    bounded = _marks().sub(lambda run: run[0][: 2 * _MAX_MARKS], text)  # cleaned text has no longer runs
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bounded).casefold())
    plain = "".join(map(_search_char, folded)).translate(_BASE_LETTERS)
    return " ".join(unicodedata.normalize("NFC", plain).split())


@dataclass(frozen=True, eq=False)
class FromText(Generic[T]):
    """Marks a field, `Annotated[T, FromText(parse)]`, as a JSON string that `parse` turns into a `T`.

    `parse` raises ValueError (better `InvalidValue`, which carries a code) for what it refuses. Anything but a string
    is refused before. `json_schema` is what OpenAPI says beyond `{"type": "string"}`.
    """

    parse: Callable[[str], T]
    json_schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's hook: a strict string, then `parse`; written back with `str()`."""
        return core_schema.no_info_after_validator_function(
            self.parse, core_schema.str_schema(strict=True), serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Pydantic's hook for OpenAPI."""
        return {"type": "string", **self.json_schema}


def line(max_length: int) -> FromText[str]:
    """Marks a field as single-line text of at most `max_length` code points, cleaned by `clean_line`."""
    return FromText(partial(clean_line, max_length=max_length), {"minLength": 1, "maxLength": max_length})


def _normalise(text: str, max_length: int) -> str:
    if len(text) > max_length * _NFC_SHRINKS_BY:
        raise _too_long(max_length)
    if found := _REFUSED.search(text):
        message = f"Contains an unsupported character (U+{ord(found[0]):04X} at position {found.start() + 1})."
        raise InvalidValue(message, "invalid_characters")
    if text.isascii():
        return text
    stripped = _STRIPPED.sub("", text)
    _refuse_marks(stripped, 2 * _MAX_MARKS)  # for the cost; one mark can decompose into two
    normalised = unicodedata.normalize("NFC", stripped)
    _refuse_marks(normalised, _MAX_MARKS)
    return normalised


def _refuse_marks(text: str, max_run: int) -> None:
    found = next((run for run in _marks().finditer(text) if run.end() - run.start() > max_run), None)
    if found:
        message = f"Too many accents on one letter (position {found.start() + 1}, maximum {_MAX_MARKS})."
        raise InvalidValue(message, "invalid_characters")


@cache
def _marks() -> re.Pattern[str]:
    marks = "".join(char for char in map(chr, range(_MARKS_END)) if unicodedata.combining(char))
    return re.compile(f"[{marks}{_MARKS_IN_DISGUISE}]+")


def _within(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise _too_long(max_length)
    return text


def _too_long(max_length: int) -> InvalidValue:
    return InvalidValue(f"Maximum {max_length} characters.", "too_long")


def _search_char(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category == "Cf" or unicodedata.combining(char) in _ACCENT_CLASSES else char
