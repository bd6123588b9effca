"""Contracts of backtests. Results are stored as they are shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.icps.models import statistics
from leadflood.domains.icps.models.backtest import MIN_WINS, CriterionProof, FactsOf, Proof, VersionComparison
from leadflood.kernel.schema import Schema, View

_LEAKS = "True if later facts may have leaked into the figure, as leads were scored by what is known of them today."


class StartBacktest(Schema):
    """A version to test on leads whose outcome is known."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"number": 2, "facts": "before"}]})

    number: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="Of the version. Default: the draft, or else the live one.")
    ] = None
    facts: Literal["before", "today"] = Field(
        default="before",
        description="`before`: as they were known before each outcome. `today`: as they are known today, for outcomes "
        "older than the installation; later facts may leak.",
    )


class IntervalView(View):
    """A figure with its interval of 95 %."""

    value: float
    lo: float
    hi: float


class TierFigures(View):
    """The outcomes of a tier. `null`: excluded. Shares are null with too few outcomes."""

    tier: str | None
    leads: int
    wins: int
    precision: IntervalView | None = Field(description="Share of wins among the leads of the tier.")
    recall: float | None = Field(description="Share of all wins that are in the tier.")
    recall_up_to: float | None = Field(description="Share of all wins that are in the tier or a better one.")


class CalibrationBin(View):
    """Leads with scores from `from` to `to`, and the share of wins among them."""

    from_: int = Field(alias="from")
    to: int
    leads: int
    wins: int
    rate: IntervalView


class LiftFigure(View):
    """Rate of wins among the best leads, as a multiple of the rate among all."""

    share: float
    lift: float


class RankingFigures(View):
    """Separation of wins from others by the order of tier and score."""

    may_leak: bool = Field(description=_LEAKS)
    auc: IntervalView = Field(
        description="Probability that a random win is above a random other lead. Interval by 1,000 resamples."
    )
    lifts: list[LiftFigure]


class CalibrationFigures(View):
    """Rates by score, without excluded leads. Brier scores: each outcome predicted from the others; lower is better."""

    may_leak: bool = Field(description=_LEAKS)
    bins: list[CalibrationBin]
    brier: float | None
    plain_brier: float | None = Field(description="The same if all leads had the overall rate.")


class CriterionFigures(View):
    """Numbers of leads that meet a criterion, among wins and among all."""

    key: str
    label: str
    points: int
    otherwise: int
    wins_true: int
    wins: int
    leads_true: int
    leads: int
    unknown: int = Field(description="Number of leads of which it is unknown.")
    separates: Literal["for", "against"] | None = Field(
        description="Whether wins meet it more often (`for`) or less often (`against`) than others, for sure."
    )
    against_points: bool = Field(description="Whether it separates in the other direction than its points say.")
    never_true: bool


class ProofFigures(View):
    """Figures of one version over the same leads. `ranking` and `calibration` are null with too few outcomes."""

    number: int
    may_leak: bool = Field(description=_LEAKS)
    tiers: list[TierFigures]
    ranking: RankingFigures | None
    calibration: CalibrationFigures | None
    criteria: list[CriterionFigures]


class MovementFigures(View):
    """Leads by tier of the live version and of the tested one. `null`: excluded. `examples`: IDs of up to 5 leads."""

    before: str | None
    after: str | None
    leads: int
    wins: int
    examples: list[UUID]


class BacktestResult(View):
    """Result of a backtest.

    Positive outcomes (won, good) are wins. Each lead counts once: its latest won or lost, or else its latest thumb.
    """

    leads: int = Field(description="Number of leads with an outcome that were scored.")
    wins: int
    base_rate: IntervalView | None
    skipped: int = Field(description="Leads that did not exist before their outcome, so that nothing was known.")
    may_leak: bool = Field(description=_LEAKS)
    too_few: bool = Field(description=f"Fewer than {MIN_WINS} wins, or nothing else: counts only, too few to judge.")
    tested: ProofFigures
    live: ProofFigures | None = Field(description="The live version; null if it is the tested one, or there is none.")
    movements: list[MovementFigures]
    movements_may_leak: bool = Field(description=_LEAKS)


class BacktestView(View):
    """A backtest of a version. `result` is null until it is done."""

    id: UUID
    icp_id: UUID
    number: int
    live_number: int | None
    facts: FactsOf
    state: Literal["running", "done", "failed"]
    job_id: UUID | None
    outdated: bool = Field(description="Whether the draft was edited since.")
    created_at: datetime
    ended_at: datetime | None
    since: datetime | None = Field(description="Of a monthly backtest: only outcomes after this time count.")
    result: BacktestResult | None


class BacktestList(View):
    """The latest backtests of a profile, newest first, without their results."""

    items: list[BacktestView]


def result_of(
    comparison: VersionComparison, *, numbers: tuple[int, int | None], skipped: int, facts_of: FactsOf
) -> BacktestResult:
    """The figures of a comparison. `numbers`: of the tested and the live version."""
    may_leak = facts_of is FactsOf.TODAY
    tested = comparison.tested.proof()
    live = comparison.live.proof() if comparison.live is not None else None
    return BacktestResult(
        leads=tested.leads,
        wins=tested.positives,
        base_rate=_interval(tested.base_rate),
        skipped=skipped,
        may_leak=may_leak,
        too_few=not tested.is_enough,
        tested=_proof(tested, numbers[0], may_leak=may_leak),
        live=_proof(live, numbers[1], may_leak=may_leak) if live is not None and numbers[1] is not None else None,
        movements=[
            MovementFigures(
                before=each.before,
                after=each.after,
                leads=each.leads,
                wins=each.positives,
                examples=list(each.examples),
            )
            for each in comparison.movements()
        ],
        movements_may_leak=may_leak,
    )


def _proof(proof: Proof, number: int, *, may_leak: bool) -> ProofFigures:
    ranking, calibration = None, None
    if proof.ranking is not None:
        found = proof.ranking
        lifts = [LiftFigure(share=share, lift=lift) for share, lift in found.lifts.items()]
        ranking = RankingFigures(may_leak=may_leak, auc=_sure(found.auc), lifts=lifts)
        calibration = CalibrationFigures(
            may_leak=may_leak, bins=_bins(found.bins), brier=found.brier, plain_brier=found.plain_brier
        )
    return ProofFigures(
        number=number,
        may_leak=may_leak,
        tiers=[
            TierFigures(
                tier=each.name,
                leads=each.leads,
                wins=each.positives,
                precision=_interval(each.precision),
                recall=each.recall,
                recall_up_to=each.up_to,
            )
            for each in proof.tiers
            if each.name is not None or each.leads
        ],
        ranking=ranking,
        calibration=calibration,
        criteria=[_criterion(each, proof) for each in proof.criteria],
    )


def _bins(bins: Sequence[tuple[statistics.Bin, statistics.Interval]]) -> list[CalibrationBin]:
    return [
        CalibrationBin(from_=each.lowest, to=each.highest, leads=each.leads, wins=each.positives, rate=_sure(rate))
        for each, rate in bins
    ]


def _criterion(each: CriterionProof, proof: Proof) -> CriterionFigures:
    separates: Literal["for", "against"] | None = None
    if each.separates is not None:
        separates = "for" if each.separates else "against"
    rewards = each.points > each.otherwise
    return CriterionFigures(
        key=each.key,
        label=each.label,
        points=each.points,
        otherwise=each.otherwise,
        wins_true=each.true_positives,
        wins=proof.positives,
        leads_true=each.true,
        leads=proof.leads,
        unknown=each.unknown,
        separates=separates,
        against_points=each.separates is not None and each.points != each.otherwise and each.separates is not rewards,
        never_true=proof.leads > 0 and each.never_fires,
    )


def _interval(found: statistics.Interval | None) -> IntervalView | None:
    return None if found is None else _sure(found)


def _sure(found: statistics.Interval) -> IntervalView:
    return IntervalView(value=found.value, lo=found.lo, hi=found.hi)
