"""Several names in one text, as in a cell of a file: `VIP; "Berlin; 2026"`."""

import re
from collections.abc import Iterable
from typing import Final

_QUOTED: Final = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[;,|\n]|$)')
_PLAIN: Final = re.compile(r"[^;,|\n]*")
_NEEDS_QUOTES: Final = re.compile(r'[;,|\n]|^\s*"|^\s|\s$')


def join_names(names: Iterable[str]) -> str:
    """Names in one text, from which `split_names` returns them: names with a separator are in quotation marks."""
    return "; ".join(
        f'"{name.replace(chr(34), chr(34) * 2)}"' if _NEEDS_QUOTES.search(name) else name for name in names
    )


def split_names(text: str) -> list[str]:
    """The names in a text, separated by semicolons, commas, pipes or line breaks; blank ones are left out.

    A name in quotation marks may contain separators.
    """
    found: list[str] = []
    place = 0
    while place <= len(text):
        quoted = _QUOTED.match(text, place)
        if quoted:
            found.append(quoted[1].replace('""', '"'))
            place = quoted.end() + 1
        else:
            plain = _PLAIN.match(text, place)
            end = plain.end() if plain else len(text)
            found.append(text[place:end].strip())
            place = end + 1
    return [name for name in found if name.strip()]
