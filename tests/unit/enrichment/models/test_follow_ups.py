"""The run that follows another one for the sources that asked for patience, and what is stored of a run."""

from datetime import timedelta

import pytest

from leadflood.domains.enrichment.models.follow_ups import MAX_FOLLOW_UPS, follow_up_at, stored_step
from leadflood.domains.enrichment.models.runs import Step, StepState
from tests.support.canned_web import NOW
from tests.unit.enrichment.models.test_company_runs import result, step


@pytest.mark.parametrize(
    ("steps", "follow_ups", "expected"),
    [
        ([step(StepState.FOUND, expires=timedelta(days=1)), step(StepState.AWAY, expires=timedelta(hours=1))], 0, None),
        ([step(StepState.SKIPPED)], 0, None),
        ([step(StepState.WAITING, until=timedelta(seconds=5))], 0, timedelta(seconds=90)),
        ([step(StepState.WAITING, until=timedelta(hours=3))], 0, timedelta(hours=3)),
        ([step(StepState.WAITING, until=timedelta(days=40))], 0, timedelta(days=1)),
        ([step(StepState.SKIPPED, until=timedelta(minutes=30))], 3, timedelta(minutes=30)),
        ([step(StepState.WAITING, until=timedelta(seconds=5))], 7, timedelta(minutes=192)),
        ([step(StepState.WAITING, until=timedelta(seconds=5))], MAX_FOLLOW_UPS, None),
    ],
)
def test_sources_that_want_patience_are_asked_again_later_and_not_for_ever(
    steps: list[Step], follow_ups: int, expected: timedelta | None
) -> None:
    at = follow_up_at(result(*steps), NOW, follow_ups=follow_ups, spread=0.5)

    assert (at and at - NOW) == expected


def test_a_step_is_stored_as_json_with_its_times() -> None:
    stored = stored_step(step(StepState.WAITING, until=timedelta(minutes=5)))

    assert (stored["state"], stored["until"], stored["expiresAt"]) == ("waiting", "2026-11-30T12:05:00+00:00", None)
