"""Drift of a profile as the API, the pages and the command line show it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from leadflood.domains.icps.contracts.backtests import BacktestView
from leadflood.domains.icps.models.drift import LIMIT, MIN_LEADS, WIDTH, Distribution, DriftClass, classes_of
from leadflood.kernel.db.pool import Row
from leadflood.kernel.schema import View

_TOO_FEW: Final = f"Too few leads to judge: there have to be {MIN_LEADS} at publishing, and now."


class DriftBand(View):
    """Leads in a class of scores. Without `from` and `to`: excluded leads."""

    from_: int | None = Field(alias="from")
    to: int | None
    leads_at_publishing: int
    share_at_publishing: float
    leads: int
    share: float


class DriftView(View):
    """Change of the scores by the live version of a profile since it was published.

    `outcomes`: the latest monthly backtest on outcomes since then; null before the first.
    """

    number: int = Field(description="Number of the live version.")
    state: Literal["notCompared", "tooFew", "stable", "drifted"]
    text: str = Field(description="The same in words.")
    stability_index: float | None = Field(description="Population stability index: 0 for equal distributions.")
    limit: float = Field(description="Above it, the distributions differ.")
    published_at: datetime | None = Field(description="Time of the first distribution.")
    compared_at: datetime | None
    bands: list[DriftBand]
    outcomes: BacktestView | None


def drift_view(
    number: int, row: Row | None, before: Distribution, after: Distribution | None, tested: BacktestView | None
) -> DriftView:
    """The view of what is stored of a version. `tested`: on outcomes since it was published."""
    state, text = _state(row, after)
    return DriftView(
        number=number,
        state=state,
        text=text,
        stability_index=row.stability if row is not None else None,
        limit=LIMIT,
        published_at=row.before_at if row is not None else None,
        compared_at=row.checked_at if row is not None else None,
        bands=_bands(classes_of(before, after)) if after is not None else [],
        outcomes=tested,
    )


def _state(
    row: Row | None, after: Distribution | None
) -> tuple[Literal["notCompared", "tooFew", "stable", "drifted"], str]:
    if row is None or after is None:
        return "notCompared", "Not compared yet: scores are compared with those at publishing once a day."
    if row.stability is None:
        return "tooFew", _TOO_FEW
    found = f"stability index {row.stability:.2f}, limit {LIMIT:.1f}"
    if row.drifted:
        advice = "Test the profile on new outcomes, and change its criteria if leads are really different now."
        return "drifted", f"Scores have moved since this version was published ({found}). {advice}"
    return "stable", f"Scores are distributed as when this version was published ({found})."


def _bands(classes: Sequence[DriftClass]) -> list[DriftBand]:
    before = sum(each.before for each in classes) or 1
    after = sum(each.after for each in classes) or 1
    return [
        DriftBand(
            from_=each.lowest,
            to=None if each.lowest is None else each.lowest + WIDTH - 1,
            leads_at_publishing=each.before,
            share_at_publishing=each.before / before,
            leads=each.after,
            share=each.after / after,
        )
        for each in classes
    ]
