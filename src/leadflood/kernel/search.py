r"""Search terms as patterns for LIKE on the searched text.

That text has the search keys of a subject's values, one a line; words with umlauts stand in it a second time, as they
are spelled without (`muller` and `mueller`). `search_key` and `lead_search_text` in the database make it (see the
migration that creates them): a word is folded here as the text is there.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

from leadflood.kernel.text import search_key

_BEGINNING: Final = re.compile("[a-z0-9]{1,2}")
_OF_NUMBER: Final = re.compile(r"[0-9+()./-]+")
_NO_DIGIT: Final = re.compile("[^0-9]+")
_TRUNK: Final = re.compile(r"\(0\)|^(?:\+|0+)")
_MIN_DIGITS: Final = 5
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
    find it however it is written. Empty where nothing is to be found.
    """
    terms: list[tuple[str, ...]] = []
    for of_number, run in groupby(text.split(), key=lambda word: bool(_OF_NUMBER.fullmatch(word))):
        words = list(run)
        digits = _NO_DIGIT.sub("", _TRUNK.sub("", " ".join(words))) if of_number else ""
        number = (pattern(digits),) if len(digits) >= _MIN_DIGITS else ()
        terms += [tuple(dict.fromkeys((*found, *number))) for word in words if (found := _patterns(word))]
    return terms


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
