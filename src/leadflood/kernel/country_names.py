"""Countries by the names that people write: codes, English names, and names in other languages.

Two files hold the names beside those of ISO 3166-1, a line a country. `country_variants.txt` is written by hand: short
and long forms, codes of sports and vehicles, other spellings. `country_names.txt` has CLDR's names, and is written by
`scripts/generate_country_names.py`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import iso3166

from leadflood.kernel.text import InvalidValue, clean_line, search_key

MAX_COUNTRY_LENGTH: Final = 100


def normalise_country(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country.

    It is given by a code (alpha-2, alpha-3, numeric), by its name in one of its own languages or in a common one, by
    its flag, or by two of these together, as in "Germany (DE)". Kosovo is `XK`, the user-assigned code in common use.

    Raises: InvalidValue: it is none of these, or the name of two countries, such as "Korea".
    """
    line = clean_line(text, max_length=MAX_COUNTRY_LENGTH)
    code = _country(line)
    if code is None:
        raise InvalidValue(f'"{line[:_SHOWN]}" isn\'t a recognized country.')
    return code


def country_key(name: str) -> str:
    """The common key of all spellings of a country's name."""
    words = _NO_WORD.sub(" ", _INSIDE_WORD.sub("", search_key(name)).replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


@cache
def common_countries() -> dict[str, str]:
    """Codes, English names and other common names of countries, by `country_key`.

    A bare "Korea" is ambiguous: two countries share it.
    """
    index: dict[str, str] = {}
    for country in iso3166.countries:
        for spelling in (country.alpha2, country.alpha3, country.numeric, country.name, country.apolitical_name):
            index[country_key(spelling)] = country.alpha2
    for name, alpha2 in _listed("country_variants.txt"):
        index[country_key(name)] = alpha2
    return index


_SHOWN: Final = 40
_INSIDE_WORD: Final = re.compile("['.\u2019]")
_NO_WORD: Final = re.compile("[\x00-/:-@\\[-`{-\u00bf\u2000-\u206f\u3000-\u303f\u30fb]+")
"""Punctuation and symbols. Letters of all scripts stay, with the vowel signs that `\\w` leaves out."""
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_LETTER_OF_FLAG: Final = {0x1F1E6 + place: chr(ord("A") + place) for place in range(26)}
_PARTS: Final = re.compile(r"[()\[\],;/|]| [-\u2013\u2014] ")


@lru_cache(maxsize=4096)
def _country(name: str) -> str | None:
    """The code that a text stands for: the whole of it, or all of its parts."""
    spelled = _FLAG.sub(lambda flag: f"/{flag[0].translate(_LETTER_OF_FLAG)}/", name)
    if whole := _named(spelled):
        return whole
    parts = [part for part in _PARTS.split(spelled) if country_key(part)]
    codes = {_named(part) for part in parts}
    return codes.pop() if len(codes) == 1 else None


def _named(name: str) -> str | None:
    key = country_key(name)
    if len(key) == _CODE and key.isascii() and not unicodedata.normalize("NFKC", name).isascii():
        return _translated_countries().get(key)  # not a code: "\u010cR" is no Costa Rica
    return common_countries().get(key) or _translated_countries().get(key) or _loosely_named(key)


def _loosely_named(key: str) -> str | None:
    """The code of a name with abbreviations, other order of words, no spaces, or umlauts spelled as two letters."""
    if " " not in key:
        return _joined_names().get(_plain_umlauts(key))
    return _unordered_names().get(_bag(key.split()))


@cache
def _joined_names() -> dict[str, str]:
    """Codes by names without spaces and umlauts."""
    return _unambiguous((_plain_umlauts(key.replace(" ", "")), code) for key, code in _all_names() if len(key) > _SHORT)


@cache
def _unordered_names() -> dict[str, str]:
    """Codes by the words of names, in any order."""
    return _unambiguous((_bag(key.split()), code) for key, code in _all_names() if " " in key)


def _all_names() -> Iterator[tuple[str, str]]:
    yield from common_countries().items()
    yield from _translated_countries().items()


def _unambiguous(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    codes: dict[str, set[str]] = {}
    for name, code in named:
        codes.setdefault(name, set()).add(code)
    return {name: found.pop() for name, found in codes.items() if len(found) == 1}


def _bag(words: Iterable[str]) -> str:
    full = (_ABBREVIATED.get(word, word) for word in words)
    return " ".join(sorted(_plain_umlauts(word) for word in full if word not in _BETWEEN))


def _plain_umlauts(text: str) -> str:
    return text.replace("ae", "a").replace("oe", "o").replace("ue", "u")


_CODE: Final = 2
_SHORT: Final = 4
_BETWEEN: Final = frozenset({"of", "and", "und", "et", "y", "e", "de", "du", "del", "la", "le", "l", "d", "der", "die"})
_ABBREVIATED: Final = {
    "rep": "republic",
    "republik": "republic",
    "republika": "republic",
    "republique": "republic",
    "republica": "republic",
    "repubblica": "republic",
    "dem": "democratic",
    "fed": "federation",
    "dom": "dominican",
    "s": "south",
    "n": "north",
    "w": "western",
    "equat": "equatorial",
    "is": "islands",
    "isl": "islands",
    "utd": "united",
}
"""Words that are abbreviated in names of countries, and spellings of *republic*."""


@cache
def _translated_countries() -> dict[str, str]:
    return dict(_listed("country_names.txt"))


def _listed(file_name: str) -> Iterator[tuple[str, str]]:
    """Each name of a file with its code."""
    lines = files(__package__).joinpath("data", file_name).read_text(encoding="utf-8").splitlines()
    return ((name, line[:2]) for line in lines for name in line[3:].split("|"))
