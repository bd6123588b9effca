"""How long to wait between attempts, and which reasons can be kept."""

import pytest

from leadflood.domains.jobs.models import job_backoff, outbox_backoff, storable_reason


def longest() -> float:
    return 1.0


def shortest() -> float:
    return 0.0


def test_a_job_waits_up_to_4_seconds_doubling_to_10_minutes() -> None:
    waits = [job_backoff(attempt, longest) for attempt in range(1, 11)]

    assert waits == [4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_a_job_waits_at_least_a_second() -> None:
    assert job_backoff(5, shortest) == 1


def test_a_job_of_very_many_attempts_still_has_a_back_off() -> None:
    assert job_backoff(100_000, longest) == 600


def test_an_event_waits_5_seconds_doubling_to_60() -> None:
    assert [outbox_backoff(attempts, shortest) for attempts in range(1, 7)] == [5, 10, 20, 40, 60, 60]


def test_jitter_takes_up_to_a_fifth_off_an_events_wait() -> None:
    assert outbox_backoff(1, longest) == pytest.approx(4)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The provider answered 503.", "The provider answered 503."),
        ("NUL\x00here", "NUL?here"),
        ("half \ud83d a smile", "half ? a smile"),
        ("a smile 🙂", "a smile 🙂"),
        ("x" * 2000, "x" * 1000),
    ],
)
def test_any_reason_can_be_stored(text: str, kept: str) -> None:
    assert storable_reason(text) == kept
