"""Which value of a field is chosen.

Values that are the same (`Fact.key`) form a group. Sources of one family read the same thing, so that only the surest
of them counts; sources of different families confirm each other: the confidence in a group is 1 - Π(1 - c) over
families. Confidence halves with every `time_to_live` of age. The surest group wins, and among equals the source that
comes first in the policy. A miss or an error is no value: it never clears or replaces one. What a person wrote wins
over all that was found.

The result does not depend on the order of the candidates.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import prod
from typing import Final

from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.facts import MANUAL, Fact
from leadflood.domains.enrichment.models.policies import Policy

CHOSEN_ELEMENT: Final = 0.5
"""Confidence at which an element of a field with several values is chosen."""


class Because(StrEnum):
    """Reason why a value was chosen. The values are stored."""

    PINNED = "pinned"
    AGREED = "agreed"
    SUREST = "surest"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class FactCandidate:
    """A fact and its source. `family`: as in the source's spec."""

    fact: Fact
    source: str
    family: str


@dataclass(frozen=True, slots=True)
class ChosenFact:
    """A chosen value.

    Attributes:
        best: the candidate whose spelling and receipt are shown.
        confidence: of the whole group, aged; 1 if a person confirmed it.
        because: why this one.
        agreeing: the candidates with the same value, `best` first.
        losers: those with another value of the field, best first. None for a field with several values.
    """

    best: FactCandidate
    confidence: float
    because: Because
    agreeing: tuple[FactCandidate, ...]
    losers: tuple[FactCandidate, ...]

    @property
    def field(self) -> FactField:
        """The field."""
        return self.best.fact.field


@dataclass(frozen=True, slots=True)
class _Rated:
    """Candidates with the same value, best first, and the confidence in it."""

    members: tuple[FactCandidate, ...]
    confidence: float
    families: int


def aged(fact: Fact, now: datetime) -> float:
    """The confidence in a fact now: half after each `time_to_live`. A fact from the future counts as new.

    Age counts in whole days, so that of two equally sure facts not the one that was found milliseconds later wins.
    """
    age = timedelta(days=max(0, (now - fact.receipt.observed_at).days))
    return float(fact.confidence * 2.0 ** -(age / fact.field.time_to_live))


def choose(
    candidates: Iterable[FactCandidate], *, now: datetime, policy: Policy, pinned: Collection[str] = ()
) -> tuple[ChosenFact, ...]:
    """The chosen values of one field: at most one, or several where the field has several.

    Args:
        candidates: of that field.
        now: the present time.
        policy: whose order decides among equals.
        pinned: keys of values that a person has confirmed; they win, whatever else there is.
    """
    groups: dict[str, list[FactCandidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.fact.key, []).append(candidate)
    rated = [_rated(members, now, policy) for members in groups.values()]
    rated.sort(key=lambda group: (_key(group) not in pinned, -group.confidence, *_place(group, policy)))
    if not rated:
        return ()
    if not rated[0].members[0].fact.field.multiple:
        losers = tuple(member for group in rated[1:] for member in group.members)
        return (_chosen(rated[0], pinned, losers, alone=len(rated) == 1),)
    wanted = [group for group in rated if group.confidence >= CHOSEN_ELEMENT or _key(group) in pinned]
    return tuple(_chosen(group, pinned, (), alone=True) for group in wanted)


def choose_all(
    candidates: Iterable[FactCandidate], *, now: datetime, policy: Policy
) -> dict[FactField, tuple[ChosenFact, ...]]:
    """The chosen values by field, of candidates of many fields. Fields without a chosen value are left out."""
    by_field: dict[FactField, list[FactCandidate]] = {}
    for candidate in candidates:
        by_field.setdefault(candidate.fact.field, []).append(candidate)
    chosen = {field: choose(found, now=now, policy=policy, pinned=_written(found)) for field, found in by_field.items()}
    return {field: values for field, values in chosen.items() if values}


def _written(candidates: Iterable[FactCandidate]) -> set[str]:
    """The keys of what people wrote."""
    return {candidate.fact.key for candidate in candidates if candidate.source == MANUAL}


def _rated(members: Sequence[FactCandidate], now: datetime, policy: Policy) -> _Rated:
    confidences = [aged(member.fact, now) for member in members]
    if len(members) == 1:
        return _Rated((members[0],), confidences[0], families=1)
    families: dict[str, float] = {}
    for member, confidence in zip(members, confidences, strict=True):
        families[member.family] = max(families.get(member.family, 0.0), confidence)
    doubts = [1 - confidence for confidence in sorted(families.values())]
    ordered = sorted(zip(confidences, members, strict=True), key=lambda one: (-one[0], *_order(one[1], policy)))
    return _Rated(tuple(member for _, member in ordered), 1 - prod(doubts), len(families))


def _order(member: FactCandidate, policy: Policy) -> tuple[tuple[int, str], str, str, str, str]:
    """Place among candidates that are equally sure: total, so that the order of the input does not matter."""
    receipt = member.fact.receipt
    return (
        policy.rank(member.source),
        str(member.fact.value),
        receipt.source_url or "",
        receipt.method,
        f"{receipt.observed_at.isoformat()} {receipt.evidence} {receipt.quote} {member.family}",
    )


def _place(group: _Rated, policy: Policy) -> tuple[tuple[int, str], str]:
    return min(policy.rank(member.source) for member in group.members), _key(group)


def _key(group: _Rated) -> str:
    return group.members[0].fact.key


def _chosen(group: _Rated, pinned: Collection[str], losers: tuple[FactCandidate, ...], *, alone: bool) -> ChosenFact:
    if _key(group) in pinned:
        because = Because.PINNED
    elif group.families > 1:
        because = Because.AGREED
    else:
        because = Because.ONLY if alone else Because.SUREST
    confidence = 1.0 if because is Because.PINNED else group.confidence
    return ChosenFact(group.members[0], confidence, because, group.members, losers)
