"""Circuit breakers of sources."""

from datetime import timedelta

from leadflood.domains.enrichment.models.breakers import FAILURES, Breaker, BreakerState
from tests.support.canned_web import NOW

REASON = "The register is down."


def opened(times: int = 1) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES - 1 + times):
        breaker = breaker.failed(NOW, REASON)
    return breaker


def minutes_open(breaker: Breaker) -> float:
    assert breaker.open_until is not None
    return (breaker.open_until - NOW) / timedelta(minutes=1)


def test_the_fifth_failure_in_a_row_opens_it_and_a_success_starts_over() -> None:
    almost = Breaker()
    for _ in range(FAILURES - 1):
        almost = almost.failed(NOW, REASON)

    assert almost.state(NOW) is BreakerState.CLOSED
    assert almost.failed(NOW, REASON).state(NOW) is BreakerState.OPEN
    assert almost.succeeded().failed(NOW, REASON).state(NOW) is BreakerState.CLOSED


def test_it_stays_open_for_twice_as_long_each_time_and_an_hour_at_most() -> None:
    assert [minutes_open(opened(times)) for times in (1, 2, 3, 7, 9, 40)] == [1, 2, 4, 60, 60, 60]


def test_a_half_open_breaker_lets_one_call_pass() -> None:
    later = NOW + timedelta(minutes=1)
    breaker = opened()

    assert breaker.admitted(NOW) is None
    assert breaker.state(later) is BreakerState.HALF_OPEN
    trying = breaker.admitted(later)
    assert trying is not None
    assert trying.admitted(later) is None
    assert trying.admitted(later + timedelta(hours=1)) is not None
    assert trying.failed(later, REASON).state(later) is BreakerState.OPEN
    assert trying.succeeded() == Breaker()


def test_a_rejected_key_stays_rejected_and_a_used_up_quota_is_renewed() -> None:
    keyed = Breaker().key_rejected("The key is wrong.")
    empty = Breaker().out_of_credits(NOW, NOW + timedelta(days=3), "No credits.")
    unknown = Breaker().out_of_credits(NOW, None, "No credits.")

    assert keyed.admitted(NOW + timedelta(days=3650)) is None
    assert empty.admitted(NOW + timedelta(days=2)) is None
    assert empty.admitted(NOW + timedelta(days=3)) is not None
    assert unknown.admitted(NOW + timedelta(hours=1)) is not None
