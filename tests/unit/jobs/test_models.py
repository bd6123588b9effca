"""Delays between attempts, the stored reasons, and their causes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.jobs.models import cause_of, job_backoff, outbox_backoff, storable_reason


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


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("No such mailbox: ada@acme.com", "No such mailbox: <email>"),
        ("Cancelled by user 01a20d49-bbaa-7678-951a-4f5f1a518c04.", "Cancelled by user <id>."),
        ("The worker running attempt 3 stopped responding.", "The worker running attempt <n> stopped responding."),
        ("This version does not know the job kind 'a.b'.", "This version does not know the job kind <value>."),
        ("It's not there, can't find “Größe”", "It's not there, can't find <value>"),
        ("HTTP 503 from https://api.acme.com/x?y=1 after 2.5 s", "HTTP 503 from <url> after <n> s"),
        ("[Errno 111] connect to 10.0.0.1:5432 refused", "[Errno 111] connect to <host>:<n> refused"),
        ("Domain acme.example\n  has no MX", "Domain <host> has no MX"),
        ("Message 2f9c01ab77de, at 2026-03-01T09:30:00Z", "Message <id>, at <time>"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "SSLV<n>_ALERT_HANDSHAKE_FAILURE"),
        ("", "No reason given."),
        ("\x00 🙂", "? 🙂"),
    ],
)
def test_a_cause_is_the_reason_without_what_differs_from_case_to_case(error: str, cause: str) -> None:
    assert cause_of(error) == cause


@given(st.text(max_size=2000))
def test_a_cause_of_any_text_is_short_and_storable_and_its_own_cause(error: str) -> None:
    cause = cause_of(error)

    assert 0 < len(cause) <= 200
    assert cause == storable_reason(cause) == cause.strip()
    assert cause_of(cause) == cause


WORDS = st.text(st.sampled_from("abz019 .-_@:/'\"`<>«»’\n"), max_size=400)


@given(WORDS)
def test_a_cause_of_what_looks_like_ids_and_values_is_its_own_cause(error: str) -> None:
    cause = cause_of(error)

    assert 0 < len(cause) <= 200
    assert cause_of(cause) == cause


PARTICULARS = [
    st.uuids().map(str),
    st.from_regex(r"[a-z]{1,9}'?[a-z0-9.+-]{1,9}@(acme\.com|mail\.example\.org)", fullmatch=True),
    st.integers(0, 10**12).map(str),
    st.from_regex(r"'[^'\x00]{0,20}'", fullmatch=True),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.ip_addresses(v=4).map(str),
]
"""Values of one sort each."""


@pytest.mark.parametrize("particulars", PARTICULARS)
@given(data=st.data())
def test_failures_that_differ_in_one_value_have_one_cause(
    particulars: st.SearchStrategy[str], data: st.DataObject
) -> None:
    template = data.draw(st.sampled_from(["User {} not found.", "{} gave no answer", "Failed for {}, try again"]))
    one, other = data.draw(particulars), data.draw(particulars)

    assert cause_of(template.format(one)) == cause_of(template.format(other))
