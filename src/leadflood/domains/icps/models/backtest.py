"""Backtest of a profile: how well it would have sorted leads whose outcome is known.

Leads are added one by one, with the facts that count; only counts are kept, and a few examples.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.icps.models.catalog import ProfileCatalog
from leadflood.domains.icps.models.evaluate import Facts, FitRating, Rater
from leadflood.domains.icps.models.profiles import FitProfile
from leadflood.domains.icps.models.statistics import (
    Bin,
    Interval,
    Place,
    auc_interval,
    bins_of,
    brier,
    difference,
    lift,
    wilson,
)

MIN_WINS: Final = 20
"""Below, there are counts only."""
EXAMPLES: Final = 5
"""Leads that are named for each movement."""
TOP_SHARES: Final = (0.1, 0.2)


class FactsOf(StrEnum):
    """Time of the facts by which leads are scored. The values are stored."""

    BEFORE = "before"
    """As they were known before the outcome."""
    TODAY = "today"
    """As they are known today: facts that were found since, because of the outcome, may leak into the figures."""


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """A lead with its outcome and its facts at the time that counts."""

    lead_id: UUID
    is_positive: bool
    facts: Facts
    now: datetime


@dataclass(frozen=True, slots=True)
class TierProof:
    """The outcomes of a tier. `name`: None: excluded.

    Attributes:
        precision: share of positives; None without leads, or with too few outcomes.
        recall: share of all positives that are in this tier; `up_to`: in this tier or a better one.
    """

    name: str | None
    leads: int
    positives: int
    precision: Interval | None
    recall: float | None
    up_to: float | None


@dataclass(frozen=True, slots=True)
class CriterionProof:
    """Numbers of leads that meet a criterion, among positives and among all.

    Attributes:
        true: leads that meet it; `true_positives`: positives among them. `unknown`: leads of which it is unknown.
        separates: True if positives meet it more often than negatives, False if less often, None if neither is sure.
    """

    key: str
    label: str
    points: int
    otherwise: int
    true: int
    true_positives: int
    unknown: int
    separates: bool | None

    @property
    def never_fires(self) -> bool:
        """Whether no lead meets it."""
        return self.true == 0


@dataclass(frozen=True, slots=True)
class TierMove:
    """Leads from a tier of the live version in a tier of this one, with up to 5 of them. None: excluded."""

    before: str | None
    after: str | None
    leads: int
    positives: int
    examples: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Separation by the order of tier and score.

    Attributes:
        auc: probability that a random positive is above a random negative.
        lifts: rate of positives among the best 10 and 20 %, as a multiple of the overall rate.
        brier: mean squared error of the rates of the bins; `plain_brier`: of the overall rate.
    """

    auc: Interval
    lifts: Mapping[float, float]
    bins: Sequence[tuple[Bin, Interval]]
    brier: float | None
    plain_brier: float | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Figures of a version. `ranking`: None with too few outcomes. `base_rate`: share of positives."""

    leads: int
    positives: int
    base_rate: Interval | None
    tiers: Sequence[TierProof]
    criteria: Sequence[CriterionProof]
    ranking: Ranking | None

    @property
    def is_enough(self) -> bool:
        """Whether there are enough outcomes to judge."""
        return self.ranking is not None


@dataclass(slots=True)
class Tally:
    """Counts of the outcomes of one version, as they are added."""

    profile: FitProfile
    rater: Rater
    cells: dict[Place, list[int]] = field(default_factory=dict)
    scores: dict[int, list[int]] = field(default_factory=dict)
    tiers: Counter[tuple[str | None, bool]] = field(default_factory=Counter)
    true: list[int] = field(default_factory=list)
    true_positives: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, profile: FitProfile, catalog: ProfileCatalog) -> "Tally":
        """Nothing counted yet."""
        zeros = [0] * len(tuple(profile.criteria))
        return cls(profile, Rater(profile, catalog), true=[*zeros], true_positives=[*zeros], unknown=[*zeros])

    def add(self, known: KnownOutcome) -> FitRating:
        """Count a lead. Returns how the version rates it."""
        rating = self.rater.rate(known.facts, known.now)
        side = 0 if known.is_positive else 1
        place = len(self.profile.tiers) if rating.tier is None else self.profile.place_of(rating.tier)
        self.cells.setdefault((-place, rating.score), [0, 0])[side] += 1
        if rating.tier is not None:
            self.scores.setdefault(rating.score, [0, 0])[side] += 1
        self.tiers[rating.tier, known.is_positive] += 1
        for at, result in enumerate(rating.results):
            if result is None:
                self.unknown[at] += 1
            elif result:
                self.true[at] += 1
                self.true_positives[at] += known.is_positive
        return rating

    def proof(self) -> Proof:
        """The figures of all leads that were added."""
        positives = sum(count for (_, positive), count in self.tiers.items() if positive)
        leads = self.tiers.total()
        is_enough = positives >= MIN_WINS and leads > positives
        return Proof(
            leads,
            positives,
            wilson(positives, leads) if leads else None,
            self._tiers(positives, is_enough=is_enough),
            self._criteria(leads, positives, is_enough=is_enough),
            self._ranking() if is_enough else None,
        )

    def _tiers(self, positives: int, *, is_enough: bool) -> list[TierProof]:
        found, passed = [], 0
        for name in (*(tier.name for tier in self.profile.tiers), None):
            won = self.tiers[name, True]
            leads = won + self.tiers[name, False]
            passed += won
            precision = wilson(won, leads) if is_enough and leads else None
            recall, up_to = (won / positives, passed / positives) if is_enough else (None, None)
            found.append(TierProof(name, leads, won, precision, recall, up_to))
        return found

    def _criteria(self, leads: int, positives: int, *, is_enough: bool) -> list[CriterionProof]:
        found = []
        for at, each in enumerate(self.profile.criteria):
            true, won = self.true[at], self.true_positives[at]
            separates: bool | None = None
            if is_enough:
                apart = difference(wilson(won, positives), wilson(true - won, leads - positives))
                separates = True if apart.lo > 0 else False if apart.hi < 0 else None
            proof = CriterionProof(
                each.id, each.label, each.points, each.otherwise, true, won, self.unknown[at], separates
            )
            found.append(proof)
        return found

    def _ranking(self) -> Ranking:
        cells = {place: (up, down) for place, (up, down) in self.cells.items()}
        bins = bins_of({score: (up, down) for score, (up, down) in self.scores.items()})
        error, plain = brier(bins) if sum(each.leads for each in bins) > 1 else (None, None)
        return Ranking(
            auc_interval(cells),
            {share: lift(cells, share) for share in TOP_SHARES},
            [(each, wilson(each.positives, each.leads)) for each in bins],
            error,
            plain,
        )


@dataclass(slots=True)
class VersionComparison:
    """A version, and the live one next to it, over the same leads. `live`: None if there is no other one."""

    tested: Tally
    live: Tally | None
    moves: dict[tuple[str | None, str | None], list[int]] = field(default_factory=dict)
    examples: dict[tuple[str | None, str | None], list[UUID]] = field(default_factory=dict)

    def add(self, known: KnownOutcome) -> None:
        """Count a lead in both."""
        after = self.tested.add(known).tier
        if self.live is None:
            return
        before = self.live.add(known).tier
        counts = self.moves.setdefault((before, after), [0, 0])
        counts[0] += 1
        counts[1] += known.is_positive
        named = self.examples.setdefault((before, after), [])
        if len(named) < EXAMPLES:
            named.append(known.lead_id)

    def movements(self) -> list[TierMove]:
        """All pairs of tiers with leads, in the order of the tiers."""
        if self.live is None:
            return []
        order = [[*(tier.name for tier in tally.profile.tiers), None] for tally in (self.live, self.tested)]
        keys = sorted(self.moves, key=lambda key: (order[0].index(key[0]), order[1].index(key[1])))
        return [TierMove(*key, self.moves[key][0], self.moves[key][1], self.examples[key]) for key in keys]
