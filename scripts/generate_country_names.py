"""Write the names of countries from CLDR, as imports and forms read them.

A country is known by its name in each of its official languages, and in the languages that lists of leads are common
in. Run it after an update of Babel; a test finds a file that is stale. Reading the file takes 10 ms, asking Babel for
the same names more than two seconds.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import iso3166
from babel import Locale
from babel.languages import get_official_languages
from babel.localedata import exists

from leadflood.kernel.country_names import common_countries, country_key

TARGET = Path(__file__).parents[1] / "src/leadflood/kernel/data/country_names.txt"
LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "is",
    "it", "ja", "ko", "lt", "lv", "mk", "ms", "nb", "nl", "pl", "pt", "pt_PT", "ro", "ru", "sk", "sl", "sq", "sr",
    "sr_Latn", "sv", "sw", "th", "tr", "uk", "ur", "vi", "zh", "zh_Hant",
)  # fmt: skip
"""Those in which the names of all countries are read."""


def country_names() -> str:
    """A line a country: its code, and its names by `country_key`. A name of two countries is left out."""
    index: dict[str, set[str]] = {}
    for code, name in _names():
        index.setdefault(country_key(name), set()).add(code)
    names: dict[str, list[str]] = {}
    for key, codes in sorted(index.items()):
        if len(codes) == 1 and key and key not in common_countries():
            names.setdefault(codes.pop(), []).append(key)
    return "".join(f"{code} {'|'.join(listed)}\n" for code, listed in sorted(names.items()))


def _names() -> Iterator[tuple[str, str]]:
    known = {country.alpha2 for country in iso3166.countries}
    for language in LANGUAGES:
        yield from ((code, name) for code, name in Locale.parse(language).territories.items() if code in known)
    for code in sorted(known):
        for language in get_official_languages(code, regional=True, de_facto=True):
            if exists(language) and code in (names := Locale.parse(language).territories):
                yield code, names[code]


if __name__ == "__main__":
    TARGET.write_text(country_names(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
