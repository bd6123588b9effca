"""Evaluation of a profile for one lead: the score, how far it could change, the tier, and how the points add up.

`leadflood.domains.icps.store.compile` says the same as SQL for many leads; a test compares both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from leadflood.domains.icps.models.catalog import ProfileCatalog, Shape
from leadflood.domains.icps.models.profiles import (
    CombinedTest,
    Criterion,
    FactOperator,
    FactTest,
    FactValue,
    FitProfile,
    Test,
    fields_of,
)
from leadflood.kernel.text import search_key


@dataclass(frozen=True, slots=True)
class Facts:
    """Known facts of a lead. `observed`: when the found values were observed, by key."""

    values: Mapping[str, FactValue]
    observed: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactOutcome:
    """Result of a test. None is unknown.

    Attributes:
        now: with what is known.
        sure: the same if no look-up can change it.
    """

    now: bool | None
    sure: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """A criterion as it counts: its points, and the least and most that they could become."""

    criterion: Criterion
    outcome: FactOutcome
    points: int
    lo: int
    hi: int

    @property
    def known(self) -> bool:
        """Whether no look-up can change it."""
        return self.outcome.sure is not None


@dataclass(frozen=True, slots=True)
class GroupSum:
    """The points of a group as they count."""

    name: str
    cap: int | None
    lines: Sequence[Line]
    points: int
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Result of a profile for a lead.

    Attributes:
        score: sum of the groups; `lo` and `hi`: the least and the most that it could become.
        tier: name, or None if the lead is excluded.
        worst, best: the tiers that it could become. None as `worst` is excluded; `best` is None if it is for sure.
        excluded_by: ID of the first gate that excludes the lead.
        ceiling: place of the best tier that its gates allow.
        met_gates: IDs of gates that it meets; `open_gates`: of those that a look-up could still change.
        known: criteria that no look-up can change; `total`: all of them.
    """

    groups: Sequence[GroupSum]
    score: int
    lo: int
    hi: int
    tier: str | None
    worst: str | None
    best: str | None
    excluded_by: str | None
    ceiling: int
    met_gates: Sequence[str]
    open_gates: Sequence[str]
    known: int
    total: int

    @property
    def known_share(self) -> float:
        """Share of criteria that no look-up can change, from 0 to 1."""
        return self.known / self.total


@dataclass(frozen=True, slots=True)
class FitRating:
    """Score and tier of a lead without its interval. `results`: of the criteria, in order; None is unknown."""

    score: int
    tier: str | None
    results: Sequence[bool | None]


_REMEMBERED: Final = 10_000
"""Results of comparisons that a `Rater` keeps."""


class Rater:
    """Rates many leads by one profile, one at a time. It keeps the results of comparisons, as values recur."""

    def __init__(self, profile: FitProfile, catalog: ProfileCatalog) -> None:
        self._profile = profile
        self._catalog = catalog
        self._known: dict[tuple[int, type, FactValue], bool | None] = {}

    def rate(self, facts: Facts, now: datetime) -> FitRating:
        """The score and the tier that `evaluate` gives."""
        profile = self._profile
        values = current(profile, facts, self._catalog, now) if profile.stale_is_unknown else facts.values
        results: list[bool | None] = []
        score = 0
        for group in profile.groups:
            points = 0
            for each in group.criteria:
                result = self._result(each.test, values, now)
                results.append(result)
                points += each.assumed if result is None else each.points if result else each.otherwise
            score += points if group.cap is None else max(-group.cap, min(group.cap, points))
        met = [gate.tier for gate in profile.gates if self._result(gate.test, values, now)]
        return FitRating(score, _tier(profile, score, met), results)

    def _result(self, test: Test, values: Mapping[str, FactValue], now: datetime) -> bool | None:
        if isinstance(test, CombinedTest):
            return _combined(test, [self._result(part, values, now) for part in test.parts])
        value = values.get(test.field)
        if value is None:
            return test.value is False if test.operator is FactOperator.KNOWN else None
        if test.operator is FactOperator.WITHIN_DAYS:
            return self._compared(test, value, now)
        key = (id(test), type(value), value)  # 1 and True are equal, but not the same fact
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._compared(test, value, now)
        return self._known[key]

    def _compared(self, test: FactTest, value: FactValue, now: datetime) -> bool | None:
        is_fit = test.field in self._catalog and self._catalog[test.field].fits(value)
        return _FactReader({test.field: value} if is_fit else {}, self._catalog, now).outcome(test).now


def evaluate(profile: FitProfile, facts: Facts, catalog: ProfileCatalog, now: datetime) -> Evaluation:
    """Evaluate a profile for the facts of a lead. A fact that the catalog does not have is unknown."""
    values = current(profile, facts, catalog, now)
    reader = _FactReader(values, catalog, now)
    groups = [_sum(group.name, group.cap, [_line(each, reader) for each in group.criteria]) for group in profile.groups]
    score, lo, hi = (sum(getattr(each, name) for each in groups) for name in ("points", "lo", "hi"))
    gates = [(gate, reader.outcome(gate.test)) for gate in profile.gates]
    met = [gate for gate, outcome in gates if outcome.now is True]
    surely = [gate for gate, outcome in gates if outcome.sure is True]
    possibly = [gate for gate, outcome in gates if outcome.sure is not False]
    lines = [line for each in groups for line in each.lines]
    return Evaluation(
        groups=groups,
        score=score,
        lo=lo,
        hi=hi,
        tier=_tier(profile, score, [gate.tier for gate in met]),
        worst=_tier(profile, lo, [gate.tier for gate in possibly]),
        best=_tier(profile, hi, [gate.tier for gate in surely]),
        excluded_by=next((gate.id for gate in met if gate.tier is None), None),
        ceiling=max((profile.place_of(gate.tier) for gate in met if gate.tier is not None), default=0),
        met_gates=[gate.id for gate in met],
        open_gates=[gate.id for gate, outcome in gates if outcome.sure is None],
        known=sum(line.known for line in lines),
        total=len(lines),
    )


def current(profile: FitProfile, facts: Facts, catalog: ProfileCatalog, now: datetime) -> dict[str, FactValue]:
    """The values that count: without those that are too old, if the profile takes these as unknown."""
    return {
        key: value
        for key, value in facts.values.items()
        if key in catalog
        and catalog[key].fits(value)
        and not (profile.stale_is_unknown and _is_stale(key, facts, catalog, now))
    }


def outcome_of(test: Test, values: Mapping[str, FactValue], catalog: ProfileCatalog, now: datetime) -> FactOutcome:
    """The result of a test for values that count (`current`)."""
    return _FactReader(values, catalog, now).outcome(test)


def since_day(days: float, now: datetime) -> tuple[str, str]:
    """First and last day of the last days, as in ISO 8601 and in UTC."""
    today = now.astimezone(UTC).date()
    return (today - timedelta(days=days)).isoformat(), today.isoformat()


def _is_stale(key: str, facts: Facts, catalog: ProfileCatalog, now: datetime) -> bool:
    lifetime, observed = catalog[key].time_to_live, facts.observed.get(key)
    return lifetime is not None and observed is not None and observed < now - lifetime


@dataclass(frozen=True, slots=True)
class _FactReader:
    values: Mapping[str, FactValue]
    catalog: ProfileCatalog
    now: datetime

    def outcome(self, test: Test) -> FactOutcome:
        if isinstance(test, FactTest):
            return self._compared(test)
        parts = [self.outcome(part) for part in test.parts]
        return FactOutcome(
            _combined(test, [part.now for part in parts]),
            _combined(test, [part.sure for part in parts]),
        )

    def _compared(self, test: FactTest) -> FactOutcome:
        value = self.values.get(test.field)
        if test.operator is FactOperator.KNOWN:
            is_known = value is not None
            return FactOutcome(is_known is test.value, test.value is True if is_known else None)
        result = None if value is None else self._meets(test, value)
        return FactOutcome(result, result)

    def _meets(self, test: FactTest, value: FactValue) -> bool | None:
        wanted: object = test.value
        match test.operator:
            case FactOperator.IS if not isinstance(value, str):
                return value == wanted if isinstance(value, bool) == isinstance(wanted, bool) else None
            case FactOperator.IS:
                return self._key(test, str(value)) == self._key(test, str(wanted))
            case FactOperator.IN:
                return self._key(test, str(value)) in self._keys(test)
            case FactOperator.ANY_OF | FactOperator.ALL_OF if isinstance(value, frozenset):
                found = {self._key(test, item) for item in value}
                keys = self._keys(test)
                return bool(found & keys) if test.operator is FactOperator.ANY_OF else keys <= found
            case FactOperator.WITHIN_DAYS if isinstance(test.value, int | float):
                first, last = since_day(test.value, self.now)
                return first <= str(value)[:10] <= last
        return _compared_numbers(test, value)

    def _key(self, test: FactTest, text: str) -> str:
        return text if self.catalog[test.field].shape is Shape.CODE else search_key(text)

    def _keys(self, test: FactTest) -> frozenset[str]:
        wanted = test.value if isinstance(test.value, tuple) else ()
        return _wanted_keys(wanted, is_code=self.catalog[test.field].shape is Shape.CODE)


@lru_cache(maxsize=1_000)
def _wanted_keys(wanted: tuple[str | float, ...], *, is_code: bool) -> frozenset[str]:
    return frozenset(str(each) if is_code else search_key(str(each)) for each in wanted)


def _compared_numbers(test: FactTest, value: FactValue) -> bool | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if test.operator is FactOperator.BETWEEN and isinstance(test.value, tuple):
        least, most = test.value
        return float(least) <= value <= float(most)
    if isinstance(test.value, int | float):
        return value >= test.value if test.operator is FactOperator.AT_LEAST else value <= test.value
    return None


def _combined(test: CombinedTest, results: Sequence[bool | None]) -> bool | None:
    decisive = test.match != "all"
    if decisive in results:
        return test.match == "any"
    if None in results:
        return None
    return test.match != "any"


def _line(criterion: Criterion, reader: _FactReader) -> Line:
    outcome = reader.outcome(criterion.test)
    points = criterion.assumed
    if outcome.now is not None:
        points = criterion.points if outcome.now else criterion.otherwise
    if outcome.sure is None:
        return Line(criterion, outcome, points, criterion.least, criterion.most)
    return Line(criterion, outcome, points, points, points)


def _sum(name: str, cap: int | None, lines: Sequence[Line]) -> GroupSum:
    points, lo, hi = (sum(getattr(line, each) for line in lines) for each in ("points", "lo", "hi"))
    if cap is None:
        return GroupSum(name, cap, lines, points, lo, hi)
    points, lo, hi = (max(-cap, min(cap, each)) for each in (points, lo, hi))
    return GroupSum(name, cap, lines, points, lo, hi)


def _tier(profile: FitProfile, score: int, gates: Sequence[str | None]) -> str | None:
    """The tier of a score below gates, by the best tier that each allows; None: excluded."""
    if None in gates:
        return None
    place = max([profile.tier_at(score), *(profile.place_of(name) for name in gates if name is not None)])
    return profile.tiers[place].name


def reads_the_same(one: Test, other: Test) -> bool:
    """Whether two tests read a fact in common, so that they cannot change independently."""
    return not fields_of(one).isdisjoint(fields_of(other))
