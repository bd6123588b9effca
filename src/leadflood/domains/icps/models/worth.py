"""Whether an answer could change the tier of a lead: exact, over all values that facts may still take.

Only tests that are not decided count. Those that read facts in common are tried together, value by value; what they
add up to is then combined. Of the values of a fact, one is tried for each way in which its comparisons can turn out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise, product
from math import ceil, floor
from typing import Final

from leadflood.domains.icps.models.catalog import FactPlace, ProfileCatalog, ProfileField, Shape
from leadflood.domains.icps.models.evaluate import Facts, Line, evaluate, outcome_of
from leadflood.domains.icps.models.profiles import (
    FactOperator,
    FactTest,
    FactValue,
    FitGate,
    FitProfile,
    Test,
    comparisons,
    fields_of,
)
from leadflood.kernel.text import search_key

MAX_STEPS: Final = 50_000
"""Tests that are evaluated. Where more would be needed, an answer counts as one that could change the tier."""
_OTHER: Final = "any other value"


@dataclass(frozen=True, slots=True)
class Case:
    """A lead before an answer.

    Attributes:
        values: the facts that count now.
        answerable: keys of facts that the answer could change.
        open: keys of other facts that may still change, or become known.
    """

    profile: FitProfile
    catalog: ProfileCatalog
    values: Mapping[str, FactValue]
    answerable: frozenset[str]
    open: frozenset[str]
    now: datetime


def could_change(case: Case) -> bool:
    """Whether an answer changes the tier for some values of its facts, whatever the others are."""
    try:
        return _Trial(case).differs()
    except _TooManySteps:
        return True


class _TooManySteps(Exception):
    """There are too many combinations to try."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """Points and gates of some tests.

    Attributes:
        shared: points of the groups that several parts add to.
        points: of other groups.
        place: of the best tier that the gates allow.
    """

    shared: tuple[int, ...]
    points: int
    place: int

    def plus(self, other: "_Sum") -> "_Sum":
        shared = tuple(map(sum, zip(self.shared, other.shared, strict=True)))
        return _Sum(shared, self.points + other.points, max(self.place, other.place))


@dataclass(slots=True)
class _Cluster:
    """Undecided tests that read facts in common: criteria with the place of their group, and gates."""

    keys: set[str]
    lines: list[tuple[int, Line]] = field(default_factory=list)
    gates: list[FitGate] = field(default_factory=list)

    @property
    def groups(self) -> set[int]:
        return {group for group, _ in self.lines}


class _Trial:
    """The combinations of one case."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._steps = 0
        known = {key for key in case.profile.fields if key in case.catalog}
        self._answerable = case.answerable & known
        self._open = (case.open & known) | self._answerable
        self._fixed = {key: value for key, value in case.values.items() if key not in self._open}
        self._rated = evaluate(case.profile, Facts(self._fixed), case.catalog, case.now)

    def differs(self) -> bool:
        """Whether two tiers are possible that only an answer can tell apart. Raises: _TooManySteps."""
        if not self._answerable or self._rated.worst == self._rated.best:
            return False
        parts = self._parts()
        if not any(part.keys & self._answerable for part in parts):
            return False
        caps = [group.cap for group in self._case.profile.groups]
        shared = [
            place
            for place, cap in enumerate(caps)
            if cap is not None and sum(place in part.groups for part in parts) > 1
        ]
        pairs = {(base := self._decided(parts, shared), base)}
        for part in parts:
            added = set(self._outcomes(part, shared))
            self._count(len(pairs) * len(added))
            pairs = {(one.plus(before), other.plus(after)) for one, other in pairs for before, after in added}
        return any(self._tier(one, shared) != self._tier(other, shared) for one, other in pairs)

    def _parts(self) -> list[_Cluster]:
        """The undecided tests, divided so that no two parts read an open fact in common."""
        found = [
            _Cluster({*self._open & fields_of(line.criterion.test)}, [(place, line)])
            for place, group in enumerate(self._rated.groups)
            for line in group.lines
            if line.lo != line.hi
        ]
        undecided = [gate for gate in self._case.profile.gates if gate.id in self._rated.open_gates]
        found += [_Cluster({*self._open & fields_of(gate.test)}, gates=[gate]) for gate in undecided]
        merged: list[_Cluster] = []
        for part in found:
            apart = [other for other in merged if not other.keys & part.keys]
            for other in merged:
                if other.keys & part.keys:
                    part.keys |= other.keys
                    part.lines += other.lines
                    part.gates += other.gates
            merged = [*apart, part]
        return merged

    def _decided(self, parts: Sequence[_Cluster], shared: Sequence[int]) -> _Sum:
        """The sum of all groups that no part adds to, and of the gates that are surely met."""
        touched = {place for part in parts for place in part.groups}
        points = sum(group.points for place, group in enumerate(self._rated.groups) if place not in touched)
        met = [gate for gate in self._case.profile.gates if gate.id in self._rated.met_gates]
        sure = [gate for gate in met if gate.id not in self._rated.open_gates]
        fixed = tuple(self._fixed_points(place) for place in shared)
        uncapped = [place for place in touched if self._case.profile.groups[place].cap is None]
        points += sum(self._fixed_points(place) for place in uncapped)
        return _Sum(fixed, points, max(map(self._place, sure), default=0))

    def _fixed_points(self, place: int) -> int:
        return sum(line.points for line in self._rated.groups[place].lines if line.lo == line.hi)

    def _outcomes(self, part: _Cluster, shared: Sequence[int]) -> Iterator[tuple[_Sum, _Sum]]:
        """The sums without the answer, and with it, for all values that the open facts of a part may take."""
        keys = sorted(part.keys)
        answered = [key for key in keys if key in self._answerable]
        others = [key for key in keys if key not in self._answerable]
        tests = [*(line.criterion.test for _, line in part.lines), *(gate.test for gate in part.gates)]
        states = {key: self._states(key, tests) for key in keys}
        for rest in product(*(states[key] for key in others)):
            before: _Sum | None = None
            for values in product(*(states[key] for key in answered)):  # the first: nothing changes
                self._count(len(tests))
                after = self._sum(part, shared, dict(zip([*others, *answered], [*rest, *values], strict=True)))
                before = before or after
                yield before, after

    def _states(self, key: str, tests: Sequence[Test]) -> list[FactValue | None]:
        """The values of a fact that differ in some comparison, the present one first; None: unknown."""
        compared = list(dict.fromkeys(each for test in tests for each in comparisons(test) if each.field == key))
        values = _values(self._case.catalog[key], compared, self._case.now)
        found: dict[tuple[bool | None, ...], FactValue | None] = {}
        for value in chain([self._case.values.get(key)], values):
            self._count(len(compared))
            found.setdefault(tuple(self._result(each, {key: value}) for each in compared), value)
        return list(found.values())

    def _sum(self, part: _Cluster, shared: Sequence[int], values: Mapping[str, FactValue | None]) -> _Sum:
        points = dict.fromkeys(part.groups, 0)
        for place, line in part.lines:
            result = self._result(line.criterion.test, values)
            criterion = line.criterion
            points[place] += (
                criterion.assumed if result is None else criterion.points if result else criterion.otherwise
            )
        met = [self._place(gate) for gate in part.gates if self._result(gate.test, values)]
        alone = 0
        for place, total in points.items():
            cap = self._case.profile.groups[place].cap
            if cap is None:
                alone += total
            elif place not in shared:
                alone += _capped(self._fixed_points(place) + total, cap)
        return _Sum(tuple(points.get(place, 0) for place in shared), alone, max(met, default=0))

    def _result(self, test: Test, values: Mapping[str, FactValue | None]) -> bool | None:
        known = {**self._fixed, **{key: value for key, value in values.items() if value is not None}}
        return outcome_of(test, known, self._case.catalog, self._case.now).now

    def _tier(self, total: _Sum, shared: Sequence[int]) -> int:
        """The place of a tier; beyond the last one: excluded."""
        score = total.points
        for place, points in zip(shared, total.shared, strict=True):
            score += _capped(points, self._case.profile.groups[place].cap or 0)
        return max(self._case.profile.tier_at(score), total.place)

    def _place(self, gate: FitGate) -> int:
        profile = self._case.profile
        return len(profile.tiers) if gate.tier is None else profile.place_of(gate.tier)

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise _TooManySteps


def _capped(points: int, cap: int) -> int:
    return max(-cap, min(cap, points))


def _values(fact: ProfileField, tests: Sequence[FactTest], now: datetime) -> Iterable[FactValue]:
    """Values of a fact, at least one for each way in which comparisons of it can turn out."""
    wanted = [each for test in tests if test.operator is not FactOperator.KNOWN for each in _wanted(test)]
    match fact.shape:
        case Shape.BOOLEAN:
            return [True, False]
        case Shape.NUMBER:
            numbers = sorted({float(each) for each in wanted if isinstance(each, int | float)})
            return _numbers(numbers, whole=fact.place is not FactPlace.CUSTOM)
        case Shape.DATE:
            days = {0.0, *(float(each) for each in wanted if isinstance(each, int | float))}
            ages = sorted({age + more for age in days for more in (-1, 0, 1)})
            return [(now.astimezone(UTC) - timedelta(days=age)).date().isoformat() for age in ages]
        case Shape.SET:
            return _sets(tests)
    return [*map(str, wanted), _OTHER]


def _wanted(test: FactTest) -> Sequence[str | float]:
    return test.value if isinstance(test.value, tuple) else (test.value,)


def _numbers(borders: Sequence[float], *, whole: bool) -> Iterator[float]:
    """The borders, and numbers between and beyond them."""
    if whole:
        near = ((ceil(each) - 1, floor(each), ceil(each), floor(each) + 1) for each in borders)
        yield from sorted({number for numbers in near for number in numbers})
    else:
        yield from borders
        yield from ((one + other) / 2 for one, other in pairwise(borders))
        yield from (borders[0] - 1, borders[-1] + 1) if borders else ()
    if not borders:
        yield 0


def _sets(tests: Sequence[FactTest]) -> Iterator[frozenset[str]]:
    """Sets of texts: of those that the same tests name, none, all, or all but one."""
    named: dict[str, set[int]] = {}
    for place, test in enumerate(tests):
        if test.operator is not FactOperator.KNOWN:
            for text in _wanted(test):
                named.setdefault(search_key(str(text)), set()).add(place)
    alike: dict[frozenset[int], list[str]] = {}
    for text, places in named.items():
        alike.setdefault(frozenset(places), []).append(text)
    choices = [[(), texts, *([texts[1:]] if len(texts) > 1 else [])] for texts in alike.values()]
    for chosen in product(*choices):
        yield frozenset([_OTHER, *(text for texts in chosen for text in texts)])
