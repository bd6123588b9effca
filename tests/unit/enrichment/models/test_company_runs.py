"""How long the facts of a run hold, and which sources start runs at all."""

from datetime import timedelta

import pytest

from leadflood.domains.enrichment.models import Speed
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.company_runs import (
    company_sources,
    fresh_until,
    plan_of,
)
from leadflood.domains.enrichment.models.runs import RunResult, RunState, Step, StepState
from tests.support.asked_sources import NOTHING, ScriptedSource, spec_of
from tests.support.canned_web import NOW


def result(*steps: Step) -> RunResult:
    return RunResult(RunState.PARTIAL, {}, steps, 1.0)


def step(state: StepState, *, until: timedelta | None = None, expires: timedelta | None = None) -> Step:
    return Step(
        "website",
        "Website",
        state,
        "",
        until=None if until is None else NOW + until,
        expires_at=None if expires is None else NOW + expires,
    )


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], timedelta(hours=1)),
        ([step(StepState.FOUND, expires=timedelta(days=12))], timedelta(days=12)),
        ([step(StepState.FOUND, expires=timedelta(days=90))], timedelta(days=30)),
        (
            [step(StepState.FOUND, expires=timedelta(days=12)), step(StepState.AWAY, expires=timedelta(hours=3))],
            timedelta(hours=3),
        ),
        ([step(StepState.WAITING, until=timedelta(seconds=5))], timedelta(minutes=10)),
        ([step(StepState.FAILED)], timedelta(hours=1)),
        ([step(StepState.FOUND, expires=timedelta(days=12)), step(StepState.SKIPPED)], timedelta(days=12)),
        (
            [step(StepState.FOUND, expires=timedelta(days=12)), step(StepState.SKIPPED, until=timedelta(hours=2))],
            timedelta(hours=2),
        ),
    ],
)
def test_facts_are_fresh_until_the_first_source_can_be_asked_again(steps: list[Step], expected: timedelta) -> None:
    assert fresh_until(result(*steps), NOW) - NOW == expected


def test_sources_that_answer_without_waiting_start_no_run_of_their_own() -> None:
    instant = ScriptedSource(spec_of("place", fields.TIME_ZONE, speed=Speed.INSTANT), [NOTHING])
    website = ScriptedSource(spec_of("website", fields.NAME), [NOTHING])

    assert company_sources([instant]) == []
    assert company_sources([instant, website]) == [instant, website]
    assert plan_of([website, instant]) == plan_of([instant, website]) == "place/1,website/1"
