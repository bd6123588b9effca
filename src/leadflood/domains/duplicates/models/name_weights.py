"""Weights of names: the evidence of their similarity, in bits."""

from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Final

from leadflood.domains.duplicates.models.names import NameLevel, NamePart, name_level, similarity


@dataclass(frozen=True, slots=True)
class NameWeight:
    """Weight of the names of two leads.

    Attributes:
        bits: evidence that they are one person.
        similarity: 0 to 1, as shown to users.
        differ: whether the names are those of two people.
    """

    bits: float
    similarity: float
    differ: bool


def compare_names(first: NamePart, last: NamePart, other_first: NamePart, other_last: NamePart) -> NameWeight | None:
    """Weight of two names, in the order that fits better; None if no part can be compared.

    Parent and child have the same name but for the generation.
    """
    found = _in_better_order(first, last, other_first, other_last)
    if found is None or not last.generation or last.generation == (other_last.generation or last.generation):
        return found
    return NameWeight(found.bits + _OTHER_GENERATION, min(_RELATED, found.similarity), differ=True)


def _in_better_order(first: NamePart, last: NamePart, other_first: NamePart, other_last: NamePart) -> NameWeight | None:
    straight = _both(_part(first, other_first, given=True), _part(last, other_last, given=False))
    if straight is not None and straight.similarity >= 1:
        return straight
    turned = _both(_part(first, other_last, given=True), _part(last, other_first, given=False))
    if straight is None or turned is None:
        return straight
    bits = turned.bits + _TURNED
    return straight if straight.bits >= bits else NameWeight(bits, turned.similarity, turned.differ)


def _both(given: NameWeight | None, family: NameWeight | None) -> NameWeight | None:
    """The less similar part decides the similarity: "Jane Smith" and "John Smith" are two people."""
    if given is None or family is None:
        return given or family
    bits = min(_MAX, given.bits + family.bits)
    return NameWeight(bits, min(given.similarity, family.similarity), given.differ or family.differ)


def _part(one: NamePart, two: NamePart, *, given: bool) -> NameWeight | None:
    if not one.text or not two.text:
        return None
    level, alike = _judged(one.text, two.text)
    surprise = min(one.surprise, two.surprise)
    match level:
        case NameLevel.EXACT:
            bits = surprise + (_M_GIVEN if given else _M_FAMILY)
        case NameLevel.PARTIAL:
            bits = surprise + _OF_PARTIAL
        case NameLevel.SIMILAR:
            bits = max(1.0, min(_GIVEN_SIMILAR if given else _FAMILY_SIMILAR, surprise - _NEIGHBOURS + _M_SIMILAR))
        case _:
            bits = _OF_LEVEL[level]
    return NameWeight(bits, alike, differ=level is NameLevel.DIFFERENT)


@lru_cache(maxsize=200_000)
def _judged(one: str, two: str) -> tuple[NameLevel, float]:
    """Level and shown similarity of two parts of names."""
    level = name_level(one, two)
    match level:
        case NameLevel.EXACT:
            return level, 1.0
        case NameLevel.PARTIAL | NameLevel.INITIAL:
            return level, _PARTIAL_SIMILARITY
        case NameLevel.SIMILAR:
            return level, max(_REASON_SIMILARITY, similarity(one, two))
        case _:
            return level, similarity(one, two)


_MAX: Final = 26.0
"""Maximum weight of names: relatives share even the rarest ones."""
_REASON_SIMILARITY: Final = 0.85
_M_GIVEN, _M_FAMILY = log2(0.85), log2(0.9)
_GIVEN_SIMILAR, _FAMILY_SIMILAR = log2(0.08 / 0.002), log2(0.06 / 0.0003)
_NEIGHBOURS: Final = 3.0
"""Bits: a name has about eight similar ones."""
_M_SIMILAR: Final = log2(0.08)
_OF_PARTIAL: Final = -2.5
_OF_LEVEL: Final = {NameLevel.INITIAL: 3.0, NameLevel.UNSURE: -1.5, NameLevel.DIFFERENT: -7.0}
_TURNED: Final = -4.0
"""Given and family name are swapped in one of twenty pairs."""
_PARTIAL_SIMILARITY: Final = 0.9
_OTHER_GENERATION: Final = -10.0
_RELATED: Final = 0.9
