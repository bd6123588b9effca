"""Rate limits are kept per credential and told in the standard fields."""

from typing import Any

import http_sf
import httpx
import pytest

from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueBackend
from leadflood.kernel.rate_limit import RateLimiter
from tests.support.api import Caller, client_of, make_parts


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def parsed(answer: httpx.Response, header: str) -> Any:  # noqa: ANN401  a structured field of any shape
    return http_sf.parse(answer.headers[header].encode(), tltype="list")


async def test_over_the_limit_the_answer_says_when_to_come_back(
    settings: Settings,
    database: Database,
    queue_backend: QueueBackend,
    registry: JobRegistry,
    secret_box: SecretBox,
    caller: Caller,
    clock: Clock,
) -> None:
    limiter = RateLimiter(2, clock=clock)
    limited = make_parts(settings, database, queue_backend, registry, secret_box, rate_limiter=limiter)
    async with client_of(limited) as client:
        allowed = [await client.get("/v1/toys", headers=caller.headers) for _ in range(2)]
        refused = await client.get("/v1/toys", headers=caller.headers)
        clock.now += int(refused.headers["Retry-After"])
        again = await client.get("/v1/toys", headers=caller.headers)

    assert [answer.status_code for answer in [*allowed, refused, again]] == [200, 200, 429, 200]
    assert refused.json()["code"] == "rate_limited"
    for answer, left in zip([*allowed, refused], [1, 0, 0], strict=True):
        assert parsed(answer, "RateLimit-Policy") == [("default", {"q": 2, "w": 60})]
        [(name, remaining)] = parsed(answer, "RateLimit")
        assert (name, remaining["r"], remaining["t"] > 0) == ("default", left, True)


def test_a_client_that_obeys_is_never_refused(clock: Clock) -> None:
    limiter, credential = RateLimiter(100, clock=clock), new_id()

    for _ in range(1000):
        allowance = limiter.take(credential)
        assert allowance.retry_after == 0
        if allowance.remaining == 0:
            clock.now += allowance.reset


@pytest.mark.parametrize("quota", [1, 7, 60, 60_000])
def test_the_whole_quota_can_be_used_at_once_and_no_more(clock: Clock, quota: int) -> None:
    limiter, credential = RateLimiter(quota, clock=clock), new_id()

    taken = [limiter.take(credential) for _ in range(quota)]

    assert all(allowance.retry_after == 0 for allowance in taken)
    assert [allowance.remaining for allowance in taken[:3]] == list(range(quota))[::-1][:3]
    assert taken[-1].remaining == 0
    assert limiter.take(credential).retry_after > 0


def test_credentials_do_not_share_a_quota(clock: Clock) -> None:
    limiter = RateLimiter(1, clock=clock)

    assert [limiter.take(new_id()).retry_after for _ in range(5)] == [0] * 5


def test_idle_credentials_take_no_memory(clock: Clock) -> None:
    limiter = RateLimiter(1000, clock=clock)

    for _ in range(30_000):
        limiter.take(new_id())
        clock.now += 0.01
    assert len(limiter._paid_until) <= 10_001
