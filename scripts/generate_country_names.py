"""Write the names of countries in languages of Europe, from CLDR, as imports and forms read them.

Run it after an update of Babel; a test finds a file that is stale. Reading the file takes 3 ms, asking Babel for the
same names more than half a second.
"""

import sys
from pathlib import Path

import iso3166
from babel import Locale

from leadflood.domains.leads.models import country_key, english_countries

TARGET = Path(__file__).parents[1] / "src/leadflood/domains/leads/data/country_names.txt"
LANGUAGES = ("cs", "da", "de", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "sv", "tr")


def country_names() -> str:
    """A line a country: its code, and its names by `country_key`. A name of two countries is left out."""
    known = {country.alpha2 for country in iso3166.countries}
    index: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in known:
                index.setdefault(country_key(name), set()).add(code)
    names: dict[str, list[str]] = {}
    for key, codes in sorted(index.items()):
        if len(codes) == 1 and key and key not in english_countries():
            names.setdefault(codes.pop(), []).append(key)
    return "".join(f"{code} {'|'.join(listed)}\n" for code, listed in sorted(names.items()))


if __name__ == "__main__":
    TARGET.write_text(country_names(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
