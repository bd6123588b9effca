"""A profile: groups of criteria with points, gates, and tiers. It is data; nothing in it is a language.

A test of a fact is true, false or unknown (Kleene's three-valued logic): a fact that is not known makes no test false.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

MAX_CRITERIA: Final = 60
MAX_GATES: Final = 20
MAX_GROUPS: Final = 20
MAX_TIERS: Final = 8
MAX_DEPTH: Final = 4
"""Maximum depth of a test, including the outermost combination."""
MAX_PARTS: Final = 20
"""Maximum tests in one combination."""
MAX_VALUES: Final = 200
MAX_TEXT: Final = 200
MAX_BYTES: Final = 8_000
"""Maximum size of a profile as compact JSON, in bytes of UTF-8."""
MAX_POINTS: Final = 100
MAX_DAYS: Final = 3_650
MAX_NUMBER: Final = 2**53 - 1

FactValue: TypeAlias = str | bool | float | frozenset[str]
"""A fact: text, yes or no, a number, or a set of texts. A date is a text, as in ISO 8601."""


class FactOperator(StrEnum):
    """Comparison of a fact. The values are stored."""

    IS = "is"
    IN = "in"
    BETWEEN = "between"
    AT_LEAST = "atLeast"
    AT_MOST = "atMost"
    ANY_OF = "anyOf"
    ALL_OF = "allOf"
    WITHIN_DAYS = "withinDays"
    KNOWN = "known"
    """Whether there is a value. True or false now, but unknown for what a look-up could change."""


@dataclass(frozen=True, slots=True)
class FactTest:
    """A fact compared with a value.

    Attributes:
        field: key of the fact in the catalog, such as `company.employees`.
        value: of IS a text, number or boolean; of IN, ANY_OF and ALL_OF texts; of BETWEEN two numbers; of AT_LEAST and
            AT_MOST a number; of WITHIN_DAYS a number of days; of KNOWN whether it has to be known.
    """

    field: str
    operator: FactOperator
    value: str | bool | float | tuple[str, ...] | tuple[float, float]


@dataclass(frozen=True, slots=True)
class CombinedTest:
    """Tests of which all, any or none have to be true."""

    match: Literal["all", "any", "none"]
    parts: tuple["Test", ...]


Test: TypeAlias = FactTest | CombinedTest


@dataclass(frozen=True, slots=True)
class Criterion:
    """A test, with the points for true and for false. `note`: why it has these points."""

    id: str
    label: str
    test: Test
    points: int
    otherwise: int = 0
    note: str = ""

    @property
    def least(self) -> int:
        """The fewer points of both."""
        return min(self.points, self.otherwise)

    @property
    def most(self) -> int:
        """The more points of both."""
        return max(self.points, self.otherwise)

    @property
    def assumed(self) -> int:
        """The points while the result is unknown: those between both that are nearest to 0."""
        return max(self.least, min(0, self.most))


@dataclass(frozen=True, slots=True)
class CriterionGroup:
    """Criteria whose points are added up. `cap`: their sum counts from -cap to cap; None: without a limit."""

    name: str
    criteria: tuple[Criterion, ...]
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class FitGate:
    """A test that outweighs all points. `tier`: the best tier of a lead that meets it; None: the lead is excluded."""

    id: str
    test: Test
    reason: str
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier. `at_least`: the score from which it begins; None for the last one, which all others have."""

    name: str
    at_least: int | None


@dataclass(frozen=True, slots=True)
class FitProfile:
    """A profile. `tiers`: best first. `stale_is_unknown`: whether a found value that is too old counts as unknown."""

    groups: tuple[CriterionGroup, ...]
    tiers: tuple[Tier, ...]
    gates: tuple[FitGate, ...] = ()
    stale_is_unknown: bool = False

    @property
    def criteria(self) -> Iterator[Criterion]:
        """The criteria of all groups, in order."""
        for group in self.groups:
            yield from group.criteria

    @property
    def tests(self) -> Iterator[Test]:
        """All tests, of criteria and gates."""
        yield from (criterion.test for criterion in self.criteria)
        yield from (gate.test for gate in self.gates)

    @property
    def fields(self) -> Sequence[str]:
        """Keys of the facts that it reads, each once, in order."""
        return tuple(dict.fromkeys(each.field for test in self.tests for each in comparisons(test)))

    @property
    def changes_with_time(self) -> bool:
        """Whether a score can change although no fact does."""
        return self.stale_is_unknown or any(
            each.operator is FactOperator.WITHIN_DAYS for test in self.tests for each in comparisons(test)
        )

    def tier_at(self, score: int) -> int:
        """Place of the tier of a score, 0 for the best."""
        places = (place for place, tier in enumerate(self.tiers) if tier.at_least is None or score >= tier.at_least)
        return next(places)

    def place_of(self, name: str) -> int:
        """Place of the tier with a name. Raises: StopIteration."""
        return next(place for place, tier in enumerate(self.tiers) if tier.name == name)


def comparisons(test: Test) -> Iterator[FactTest]:
    """The comparisons of a test, in order."""
    if isinstance(test, FactTest):
        yield test
    else:
        for part in test.parts:
            yield from comparisons(part)


def fields_of(test: Test) -> frozenset[str]:
    """Keys of the facts that a test reads."""
    return frozenset(each.field for each in comparisons(test))
