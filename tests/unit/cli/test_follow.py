from datetime import UTC, datetime, timedelta
from typing import Any

from leadflood.cli.progress import JobProgressLines
from leadflood.domains.jobs.contracts import AttemptFailure, JobView
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.ids import new_id

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def job(status: JobStatus, **fields: Any) -> JobView:  # noqa: ANN401  values of any field
    known: dict[str, Any] = {
        "id": new_id(),
        "kind": "leads.enrich.v1",
        "status": status,
        "subject_id": None,
        "attempts": 0,
        "max_attempts": 5,
        "next_attempt_at": None,
        "waiting_until": None,
        "waiting_for": None,
        "on_hold": False,
        "last_error": None,
        "cause": None,
        "progress": None,
        "failures": [],
        "created_at": START,
        "started_at": None,
        "finished_at": None,
    }
    return JobView(**{**known, **fields})


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def words(lines: list[str]) -> list[str]:
    return [line.partition(" s  ")[2] or line.strip() for line in lines]


def test_a_job_that_is_over_at_the_first_look_still_shows_every_state() -> None:
    done = job(JobStatus.COMPLETED, attempts=1, started_at=after(0.1), finished_at=after(2.1))

    assert words(JobProgressLines().lines(done)) == ["queued", "running, attempt 1 of 5", "completed"]


def test_each_state_is_told_once_however_often_the_job_is_looked_at() -> None:
    story = JobProgressLines()
    looks = [
        job(JobStatus.QUEUED),
        job(JobStatus.QUEUED),
        job(JobStatus.RUNNING, attempts=1, started_at=after(0.1)),
        job(JobStatus.RUNNING, attempts=1, started_at=after(0.1)),
        job(JobStatus.COMPLETED, attempts=1, started_at=after(0.1), finished_at=after(2.1)),
    ]

    assert [words(story.lines(look)) for look in looks] == [
        ["queued"],
        [],
        ["running, attempt 1 of 5"],
        [],
        ["completed"],
    ]


def test_a_retry_is_told_with_its_reason_and_the_time_of_the_next_attempt() -> None:
    failure = AttemptFailure(attempt=1, at=after(2), error="The provider is away.\x1b[2J")
    waiting = job(JobStatus.QUEUED, attempts=1, failures=[failure], next_attempt_at=after(6))

    assert words(JobProgressLines().lines(waiting)) == [
        "queued",
        "running, attempt 1 of 5",
        "attempt 1 failed: The provider is away.\ufffd[2J",
        "retrying: attempt 2 at 2026-03-01 09:30:06Z",
    ]


def test_an_attempt_that_was_seen_running_is_not_told_again_when_it_has_failed() -> None:
    story = JobProgressLines()
    story.lines(job(JobStatus.RUNNING, attempts=1, started_at=after(0.1)))
    failure = AttemptFailure(attempt=1, at=after(2), error="Away.")

    over = job(JobStatus.FAILED, attempts=1, max_attempts=1, failures=[failure], finished_at=after(2))
    assert words(story.lines(over)) == ["attempt 1 failed: Away.", "failed"]


def test_a_job_that_waits_says_until_when_and_for_what() -> None:
    later = after(3600)
    waiting = job(
        JobStatus.QUEUED,
        attempts=1,
        next_attempt_at=later,
        waiting_until=later,
        waiting_for="Hunter's limit is used up.",
    )

    (_, line) = words(JobProgressLines().lines(waiting))
    assert line.startswith("waiting until ")
    assert line.endswith(": Hunter's limit is used up.")
