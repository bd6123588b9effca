"""The state of a source follows from its breaker, its rate and its answers, in this order."""

from datetime import UTC, datetime, timedelta

import pytest

from leadflood.domains.enrichment.models import Rate
from leadflood.domains.enrichment.models.breakers import FAILURES, Breaker
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.models.source_health import SourceGate, SourceState, standing_of

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
RATE = Rate(60, 60.0)


def down() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker = breaker.failed(NOW, "It is down.")
    return breaker


@pytest.mark.parametrize(
    ("gate", "outcomes", "state"),
    [
        (SourceGate(), {}, SourceState.IDLE),
        (SourceGate(), {StepState.FOUND: 5, StepState.AWAY: 4}, SourceState.WORKING),
        (SourceGate(), {StepState.FOUND: 2, StepState.AWAY: 2}, SourceState.FAILING),
        (SourceGate(), {StepState.AWAY: 2}, SourceState.WORKING),
        (SourceGate(Breaker().failed(NOW, "Once.")), {StepState.FOUND: 9}, SourceState.FAILING),
        (SourceGate(down()), {StepState.FOUND: 9}, SourceState.UNAVAILABLE),
        (SourceGate(Breaker().key_rejected("Another key is needed.")), {StepState.FOUND: 9}, SourceState.BLOCKED),
        (SourceGate(next_at=NOW + timedelta(seconds=90)), {StepState.FOUND: 9}, SourceState.LIMITED),
        (SourceGate(next_at=NOW + timedelta(seconds=30)), {StepState.FOUND: 9}, SourceState.WORKING),
        (SourceGate(down(), NOW + timedelta(seconds=90)), {}, SourceState.UNAVAILABLE),
    ],
)
def test_the_state_of_a_source(gate: SourceGate, outcomes: dict[StepState, int], state: SourceState) -> None:
    assert standing_of(gate, outcomes, RATE, NOW).state is state


def test_an_unavailable_source_says_why_and_until_when() -> None:
    standing = standing_of(SourceGate(down()), {}, None, NOW)

    assert (standing.reason, standing.until) == ("It is down.", NOW + timedelta(minutes=1))
    assert standing_of(SourceGate(down()), {}, None, NOW + timedelta(minutes=2)).state is SourceState.FAILING


def test_a_limited_source_says_when_the_next_question_is_possible() -> None:
    standing = standing_of(SourceGate(next_at=NOW + timedelta(seconds=90)), {}, RATE, NOW)

    assert standing.until == NOW + timedelta(seconds=31)
    assert standing_of(SourceGate(next_at=NOW + timedelta(seconds=90)), {}, None, NOW).state is SourceState.IDLE
