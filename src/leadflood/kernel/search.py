r"""Search terms as patterns for LIKE on the searched text.

That text has the search keys of a subject's values, one a line; words with umlauts stand in it a second time, as they
are spelled without (`muller` and `mueller`). `search_key` and `lead_search_text` in the database make it (see the
migration that creates them): a word is folded here as the text is there.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

from leadflood.kernel.phone_number import ascii_number
from leadflood.kernel.text import search_key

_BEGINNING: Final = re.compile("[a-z0-9]{1,2}")
_OF_NUMBER: Final = re.compile(r"[0-9+()./\[\]-]*[0-9][0-9+()./\[\]-]*[,;]?|[()/.+-]+")
_NO_DIGIT: Final = re.compile("[^0-9]+")
_TRUNK: Final = re.compile(r"\(0\)|^[^0-9+]*(?:\+|0+)")
_MIN_DIGITS: Final = 5
_RUSSIAN: Final = re.compile("8[0-9]{10}")
"""A number at home in Russia or Kazakhstan, with 8 before it."""
_BETWEEN: Final = re.compile(
    '[\\s,;/|\\\\"\u00ab\u00bb\u2018\u201a-\u201f\u2039\u203a\u2022\u00b7()\\[\\]{}<>!?*:&\u3001\u3002\u30fb\u2013\u2014]+'
)
"""Punctuation that separates words."""
_QUOTES: Final = "'`\u2019"
_EDGES: Final = f"{_QUOTES}.-"
_HYPHEN: Final = re.compile("[-\u2010\u2011]")
_UMLAUTS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa"}
)


def pattern(key: str, *, before: bool = True, after: bool = True) -> str:
    """The pattern of a text that contains a key: anything before it, after it, or neither."""
    escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{'%' * before}{escaped}{'%' * after}"


def search_terms(text: str) -> list[tuple[str, ...]]:
    """For each word, patterns one of which the searched text must meet: in any order, anywhere.

    One or two letters of the alphabet or digits find words that begin with them. Words that make up a phone number
    find it however it is written. Punctuation separates words, unless the text has it too. Empty where nothing is to
    be found.
    """
    terms: list[tuple[str, ...]] = []
    words = text.split()
    for of_number, run in groupby(words, key=lambda word: bool(_OF_NUMBER.fullmatch(ascii_number(word)))):
        found = list(run)
        if of_number and (numbers := _numbers(ascii_number(" ".join(found)))):
            terms += [tuple(dict.fromkeys((*_patterns(word), *numbers))) for word in found]
        else:
            terms += [tuple(term) for word in found for term in _terms(word)]
    return terms or [tuple(found) for word in words if (found := _patterns(word))]


def _numbers(text: str) -> tuple[str, ...]:
    """Patterns of the phone number that a text may be."""
    digits = _NO_DIGIT.sub("", _TRUNK.sub("", text))
    if len(digits) < _MIN_DIGITS:
        return ()
    return (pattern(digits), pattern(digits[1:])) if _RUSSIAN.fullmatch(digits) else (pattern(digits),)


def _terms(word: str) -> list[list[str]]:
    """Patterns of each part of a word, and of the whole word with its punctuation."""
    whole = _patterns(word)
    parts = [part for item in _BETWEEN.split(word) if (part := _trimmed(item))]
    if not any("@" in part or "." in part for part in parts):
        parts = [part for item in parts for part in _HYPHEN.split(item) if part]
    if parts == [word]:
        return [whole] if whole else []
    return [list(dict.fromkeys((*whole, *found))) for part in parts if (found := _patterns(part))]


def _trimmed(text: str) -> str:
    """Text without punctuation at its ends. A full stop or hyphen before it stays, as in `.de`."""
    return text.rstrip(_EDGES).lstrip(_QUOTES)


def _patterns(word: str) -> list[str]:
    """Patterns that find a word, in either spelling."""
    spelled = unicodedata.normalize("NFC", word).translate(_UMLAUTS)
    keys = dict.fromkeys(key for item in (word, spelled) if (key := search_key(item)))
    patterns: list[str] = []
    for key in keys:
        if _BEGINNING.fullmatch(key):
            patterns += [f"{key}%", f"% {key}%", f"%\n{key}%"]
        else:
            patterns.append(pattern(key))
    return patterns
