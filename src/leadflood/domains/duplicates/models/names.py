"""Names of people: normalized form, frequency, and similarity."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import resources
from math import log2, prod
from typing import Final

from anyascii import anyascii
from rapidfuzz.distance import OSA, JaroWinkler

from leadflood.kernel.text import search_key


class NameLevel(IntEnum):
    """Similarity level of two parts of names, the most similar first."""

    EXACT = 0
    PARTIAL = 1
    """One has additional words, as in "Anna Maria" and "Anna"."""

    SIMILAR = 2
    INITIAL = 3
    UNSURE = 4
    DIFFERENT = 5


@dataclass(frozen=True, slots=True)
class NamePart:
    """A given or a family name.

    Attributes:
        text: folded, see `folded_name`; empty if unknown.
        surprise: information content in bits: -log2 of the share of people who have the name.
        generation: of a family name: what distinguishes parent and child, see `generation_of`; empty if unknown.
    """

    text: str = ""
    surprise: float = 0.0
    generation: str = ""


@dataclass(frozen=True, slots=True)
class NameRates:
    """Shares of a workspace's leads with frequent names, by `rate_key`."""

    given: Mapping[int, float]
    family: Mapping[int, float]


NO_RATES: Final = NameRates({}, {})


@lru_cache(maxsize=100_000)
def folded_name(name: str) -> str:
    """A name in Latin letters without case, accents, titles and punctuation; `ae`, `oe`, `ue`, `aa` become one letter.

    Müller, Mueller and Muller are equal then, and so are Иванов and Ivanov.
    """
    text = search_key(name)
    if not text.isascii():
        text = anyascii(text).lower()
    words = _NO_WORD.sub(" ", _INSIDE_WORD.sub("", text)).split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words = words[:-1]
    return _DIGRAPHS.sub(lambda found: found[0][0], " ".join(words))


def name_parts(first: str, last: str, rates: NameRates = NO_RATES) -> tuple[NamePart, NamePart]:
    """Given and family name in normalized form. A full name in place of the given name is split."""
    common = bool(_OTHER_SCRIPT.search(first) or _OTHER_SCRIPT.search(last))
    generation = generation_of(first, last)
    given, family = folded_name(first), folded_name(last)
    if given and not family and " " in given:
        given, _, family = given.rpartition(" ")
    return (
        NamePart(given, _surprise(_given_rate(given), rates.given, given, common=common)),
        NamePart(family, _surprise(_family_rate(family), rates.family, family, common=common), generation),
    )


def generation_of(first: str, last: str) -> str:
    """The generation suffix of a name, such as "senior", "junior" and "3"; empty without one."""
    words = len(first.split()) + len(last.split())
    return (_generation(last, words) or _generation(first, words)) if words > 1 else ""


def _generation(text: str, words: int) -> str:
    """Words that are names, too, such as "Sen" and "Neto", count with a period or after two other words only."""
    found = search_key(text.replace(",", " ")).split()
    while found and found[-1].replace(".", "") in _DEGREES:
        found.pop()
    if not found:
        return ""
    last = found[-1].strip("().")
    pair = " ".join(word.strip("().") for word in found[-2:])
    sure = _GENERATIONS.get(last) or _GENERATIONS.get(pair)
    if sure is not None:
        return sure
    return _UNSURE_GENERATIONS.get(last, "") if found[-1].endswith(".") or words > 2 else ""  # noqa: PLR2004


def rate_key(text: str) -> int:
    """Hash of a name or value whose frequency is stored: 53 bits, the limit of JSON numbers."""
    compact = text.replace(" ", "").encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(compact, digest_size=8).digest(), "big") >> 11


def name_level(one: str, two: str) -> NameLevel:
    """Similarity level of two folded names, neither of them empty."""
    if one == two or one.replace(" ", "") == two.replace(" ", ""):
        return NameLevel.EXACT
    if len(one) == 1 or len(two) == 1:
        return NameLevel.INITIAL if one[0] == two[0] else NameLevel.DIFFERENT
    if any(len(word) >= _MIN_WORD for word in set(one.split()) & set(two.split())):
        return NameLevel.PARTIAL
    alike = JaroWinkler.similarity(one, two)
    if alike >= _ALIKE or _is_short_form(one, two) or _is_slip(one, two):
        return NameLevel.SIMILAR
    return NameLevel.UNSURE if alike >= _UNSURE else NameLevel.DIFFERENT


def similarity(one: str, two: str) -> float:
    """Similarity of two folded names, 0 to 1, as shown to users."""
    return 1.0 if one == two else float(JaroWinkler.similarity(one, two))


def _is_short_form(one: str, two: str) -> bool:
    """Whether one name is a prefix of the other, such as "Alex" of "Alexander"."""
    return min(len(one), len(two)) >= _MIN_WORD and (one.startswith(two) or two.startswith(one))


def _is_slip(one: str, two: str) -> bool:
    short, long = sorted((len(one), len(two)))
    slips = 2 if long >= _LONG else 1 if short >= _MIN_WORD else 0
    return OSA.distance(one, two, score_cutoff=2) <= slips


_INSIDE_WORD: Final = re.compile("['.\u2019`]")
_NO_WORD: Final = re.compile(r"[\W_]+")
_DIGRAPHS: Final = re.compile("ae|oe|ue|aa")
_TITLES: Final = frozenset(
    {
        "dame", "dipl", "don", "dona", "dott", "dr", "fr", "frau", "herr", "hon", "hr", "ing", "mag", "miss", "mlle",
        "mme", "monsieur", "mr", "mrs", "ms", "mx", "pan", "pani", "prof", "rev", "sig", "sir", "sr", "sra", "srta",
    }
)  # fmt: skip
_DEGREES: Final = frozenset(["phd", "md", "mba", "esq", "msc", "bsc", "cpa"])
_SUFFIXES: Final = _DEGREES | {"jr", "jnr", "junior", "sr", "snr", "senior", "ii", "iii", "iv", "2nd", "3rd", "4th"}
_SENIOR: Final = "senior"
_JUNIOR: Final = "junior"
_GENERATIONS: Final = {
    **dict.fromkeys(["sr", "snr", "senior", "pere", "d.a", "d a", "der altere", "die altere", "старший"], _SENIOR),
    **dict.fromkeys(["jr", "jnr", "junior", "fils", "d.j", "d j", "der jungere", "die jungere", "младший"], _JUNIOR),
    **dict.fromkeys(["2nd", "ii"], "2"),
    **dict.fromkeys(["3rd", "iii"], "3"),
    **dict.fromkeys(["4th", "iv"], "4"),
}
_UNSURE_GENERATIONS: Final = {
    **dict.fromkeys(["sen", "padre", "pai", "st"], _SENIOR),
    **dict.fromkeys(["jun", "hijo", "filho", "figlio", "ml"], _JUNIOR),
    "neto": "grandson",
    "v": "5",
}
_MIN_WORD: Final = 3
_LONG: Final = 9
_ALIKE: Final = 0.9
_UNSURE: Final = 0.78

_OTHER_SCRIPT: Final = re.compile("[^\x00-\u052f\u1c80-\u1c8f\u1e00-\u2fff]")
"""Characters of other scripts than Latin, Greek and Cyrillic."""
_RATE_OF_OTHER_SCRIPTS: Final = 5e-3
"""Assumed share of a name in scripts that the lists do not cover, so that no name counts as rare there."""
_UNLISTED_GIVEN: Final = 1e-4
_UNLISTED_FAMILY: Final = 2e-5
_SHARE_OF_PAIRED: Final = 0.2
"""Maximum share of people with a given name who have a certain second one, too."""
_MAX_PARTICLE: Final = 3


def _surprise(rate: float, rates: Mapping[int, float], name: str, *, common: bool) -> float:
    if not name:
        return 0.0
    known = rates.get(rate_key(name), 0.0) if rates else 0.0
    return -log2(max(rate, known, _RATE_OF_OTHER_SCRIPTS if common else 0.0))


@lru_cache(maxsize=50_000)
def _given_rate(name: str) -> float:
    words = name.split()
    listed = _rates("given")
    rate = max((listed.get(word, _UNLISTED_GIVEN) for word in words), default=1.0)
    return rate if len(words) < 2 else max(_UNLISTED_GIVEN, rate * _SHARE_OF_PAIRED)  # noqa: PLR2004


@lru_cache(maxsize=50_000)
def _family_rate(name: str) -> float:
    listed = _rates("family")
    whole = listed.get(name.replace(" ", ""))
    if whole is not None:
        return whole
    words = [word for word in name.split() if len(word) > _MAX_PARTICLE] or name.split()
    return max(_UNLISTED_FAMILY, prod(listed.get(word, _UNLISTED_FAMILY) for word in words))


@cache
def _rates(kind: str) -> dict[str, float]:
    """Shares of people by folded name: the larger one of the census and of the language where a name is most common."""
    found: dict[str, float] = {}
    for source in ("census", "common"):
        file = resources.files("leadflood.domains.duplicates").joinpath("data", f"{kind}_names_{source}.txt")
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                continue
            share, *names = line.split()
            for name in map(folded_name, names):
                found[name] = max(found.get(name, 0.0), int(share) / 100_000)
    return found
