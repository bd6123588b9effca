"""Job titles: seniority and function, by words in ten languages."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from leadflood.kernel.text import search_key

MAX_TITLE: Final = 200
"""Characters of a title that are read."""
_MAX_PHRASE: Final = 4
_MIN_REST: Final = 2
_NO_WORD: Final = re.compile(r"[^\w]+|_")
_INSIDE: Final = re.compile("['’.]|[/*:](?:in|innen)\\b")
"""Apostrophes, full stops, and German endings of gender: Leiter:in, Berater/in."""


@dataclass(frozen=True, slots=True)
class TitleMeaning:
    """Meaning of a job title.

    Attributes:
        seniority: `owner`, `founder`, `c_level`, `partner`, `vp`, `director`, `head`, `manager`, `senior`, `junior`,
            `intern`, or None if the title names no level.
        function: such as `sales` or `engineering`, or None.
        seniority_word: the words of the title that name the level.
        function_word: the words of the title that name the function.
    """

    seniority: str | None
    function: str | None
    seniority_word: str = ""
    function_word: str = ""


@lru_cache(maxsize=20_000)
def title_meaning(title: str) -> TitleMeaning:
    """The meaning of a job title in any of the languages. A title that says neither has neither."""
    words = _words(title)
    level, level_word = _seniority(words)
    function, function_word = _function(words)
    return TitleMeaning(level, function, level_word, function_word)


def seniorities() -> Sequence[str]:
    """All levels, the highest first."""
    return tuple(_lists()["seniority"])


def functions() -> Sequence[str]:
    """All functions."""
    return tuple(_lists()["function"])


@dataclass(frozen=True, slots=True)
class TitleVocabulary:
    """Meanings by words, and by endings and starts of compound words; the rank of a meaning is its place."""

    words: Mapping[str, int]
    endings: Mapping[str, int]
    starts: Mapping[str, int]
    names: Sequence[str]


def _words(title: str) -> list[str]:
    joined = _INSIDE.sub("", search_key(title[:MAX_TITLE])).replace("&", " and ")
    return [word for word in _NO_WORD.sub(" ", joined).split() if word]


def _seniority(words: Sequence[str]) -> tuple[str | None, str]:
    """The highest level, but for words that a longer phrase has taken, and for superiors of an assistant."""
    vocabulary = _vocabulary("seniority")
    lowered = _phrase(words, _lowering())
    if lowered is not None:
        return "junior", lowered
    found: list[tuple[int, str]] = []
    place = 0
    while place < len(words):
        length, rank = _longest(words, place, vocabulary)
        if rank is not None:
            found.append((rank, " ".join(words[place : place + length])))
        place += max(1, length)
    if not found:
        return None, ""
    rank, word = min(found)
    named = vocabulary.names[rank]
    levels = {vocabulary.names[each] for each, _ in found}
    if named in {"director", "head", "manager"} and "junior" in levels and words[0] in _ASSISTANTS:
        return "junior", words[0]  # an assistant manager
    return named, word


_ASSISTANTS: Final = frozenset(
    {"assistant", "assistent", "assistentin", "assistante", "assistente", "asistente", "junior"}
)


def _function(words: Sequence[str]) -> tuple[str | None, str]:
    """The function that the longest phrase names; of equally long ones the last of the title's main words.

    "Head of Sales Operations" is of operations, "VP Sales & Marketing" of sales: after "and" a second one begins.
    """
    vocabulary = _vocabulary("function")
    executive = vocabulary.names.index("executive")
    found: list[tuple[int, int, str]] = []
    place = 0
    while place < len(words):
        length, rank = _longest(words, place, vocabulary)
        if rank is not None:
            found.append((place, rank, " ".join(words[place : place + length])))
        place += max(1, length)
    special = [one for one in found if one[1] != executive]
    if special:
        first = special[0]
        following = next((one for one in special[1:] if one[0] == first[0] + len(first[2].split())), None)
        _, rank, word = following if following and following[1] in _narrowing() else first
        return vocabulary.names[rank], word
    return (vocabulary.names[executive], found[0][2]) if found else (None, "")


@cache
def _narrowing() -> frozenset[int]:
    """Functions that narrow the one before: sales operations, marketing analytics."""
    names = _vocabulary("function").names
    return frozenset(names.index(name) for name in ("operations", "data", "engineering"))


def _longest(words: Sequence[str], place: int, vocabulary: TitleVocabulary) -> tuple[int, int | None]:
    """The length of the longest phrase that begins at a word, and its meaning; compound words by their parts."""
    for length in range(min(_MAX_PHRASE, len(words) - place), 0, -1):
        rank = vocabulary.words.get(" ".join(words[place : place + length]))
        if rank is not None:
            return length, rank
    word = words[place]
    for size in range(len(word) - _MIN_REST, _MIN_REST, -1):
        if (rank := vocabulary.endings.get(word[-size:])) is not None:
            return 1, rank
    for size in range(len(word) - _MIN_REST, 1, -1):
        if (rank := vocabulary.starts.get(word[:size])) is not None and (size > _MIN_REST or len(word) > 6):  # noqa: PLR2004
            return 1, rank
    return 1, None


def _phrase(words: Sequence[str], phrases: frozenset[str]) -> str | None:
    for place in range(len(words)):
        for length in range(min(_MAX_PHRASE, len(words) - place), 0, -1):
            if (phrase := " ".join(words[place : place + length])) in phrases:
                return phrase
    return None


@cache
def _vocabulary(kind: str) -> TitleVocabulary:
    listed = _lists()[kind]
    names = list(listed)
    parts: dict[str, dict[str, int]] = {"words": {}, "endings": {}, "starts": {}}
    for rank, name in enumerate(names):
        for part, known in parts.items():
            for word in listed[name].get(part, ()):
                known.setdefault(word, rank)
    return TitleVocabulary(parts["words"], parts["endings"], parts["starts"], names)


@cache
def _lowering() -> frozenset[str]:
    return frozenset(_lists()["lowering"]["words"])


@cache
def _lists() -> Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]:
    return tomllib.loads(files(__package__).joinpath("data", "job_titles.toml").read_text(encoding="utf-8"))
