"""How long the facts of a run hold, and which sources start runs at all."""

from datetime import timedelta

import pytest

from leadflood.domains.enrichment.models import Speed
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.company_runs import (
    MAX_FOLLOW_UPS,
    company_sources,
    follow_up_at,
    fresh_until,
    plan_of,
    stored_step,
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


def test_sources_that_answer_without_waiting_start_no_run_of_their_own() -> None:
    instant = ScriptedSource(spec_of("place", fields.TIME_ZONE, speed=Speed.INSTANT), [NOTHING])
    website = ScriptedSource(spec_of("website", fields.NAME), [NOTHING])

    assert company_sources([instant]) == []
    assert company_sources([instant, website]) == [instant, website]
    assert plan_of([website, instant]) == plan_of([instant, website]) == "place/1,website/1"


def test_a_step_is_stored_as_json_with_its_times() -> None:
    stored = stored_step(step(StepState.WAITING, until=timedelta(minutes=5)))

    assert (stored["state"], stored["until"], stored["expiresAt"]) == ("waiting", "2026-11-30T12:05:00+00:00", None)
