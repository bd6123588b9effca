"""Splitting of full names, without losing a word."""

import re
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 2048
_TWO_WORDS: Final = re.compile(r"([^\W\d_][^\s,.()\"]+) ([^\W\d_][^\s,.()\"]+)")
"""A name of two plain words, which most are."""
_SPACES: Final = re.compile(r"\s+")


@lru_cache(_REMEMBERED)
def split_name(text: str) -> tuple[str | None, str | None]:
    """First and last name of a person. Titles and text in brackets stay before the last name.

    `Lovelace, Ada` is reversed. A single word is the first name.
    """
    line = _SPACES.sub(" ", text).strip()
    if (two := _TWO_WORDS.fullmatch(line)) and not line[0].islower():
        return two[1], two[2]
    first, last = _parsed(line)
    if sorted(_words(f"{first} {last}")) != sorted(_words(line)):
        first, last = _at_last_word(line)
    return first or None, last or None


def _parsed(line: str) -> tuple[str, str]:
    from nameparser import HumanName  # noqa: PLC0415  takes time to load, and only full names need it

    name = HumanName(line)
    last = " ".join(part for part in (name.last, name.suffix) if part)
    if not name.last:
        return _at_last_word(line)
    if line.endswith(name.last):
        return line.removesuffix(name.last).strip(" ,"), name.last
    plain = line.replace(",", "")
    if name.suffix and plain.endswith(f"{name.last} {name.suffix.replace(',', '')}"):
        return plain.removesuffix(last.replace(",", "")).strip(), last.replace(",", "")
    nickname = f"({name.nickname})" if name.nickname else ""
    return " ".join(part for part in (name.title, name.first, name.middle, nickname) if part), last


def _at_last_word(line: str) -> tuple[str, str]:
    """Split before the last word. Words before a comma are the last name; a single word is the first name."""
    before, comma, after = line.partition(",")
    if comma and before.strip() and after.strip():
        return after.strip(), before.strip()
    first, _, last = line.strip(" ,").rpartition(" ")
    return (first, last) if first else (last, "")


def _words(text: str) -> list[str]:
    return [word for part in text.split() if (word := part.strip(",()\"'\u201c\u201d\u2018\u2019"))]
