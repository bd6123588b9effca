"""Rate limit of a caller: a leaky bucket as a meter, counted in this process.

The generic cell rate algorithm (ITU-T I.371, annex A) keeps one number a caller and forgets nothing early: a
request costs `window / quota` seconds, and a caller may be ahead of the clock by one window.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import ceil

import http_sf
from http_sf.types import ParamsType

from leadflood.kernel.clock import monotonic
from leadflood.kernel.errors import TooManyRequests

_WINDOW = 60
_SWEEP = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Remaining requests, and the seconds until more are available.

    `reset` is when the whole quota is there again or, over the limit, when the next request may come. `retry_after` is
    0 when the request may go on.
    """

    remaining: int
    reset: int
    retry_after: int


class RateLimiter:
    """Counts requests against a quota per minute."""

    def __init__(
        self, quota: int, *, name: str = "default", subject: str = "credential", clock: Callable[[], float] = monotonic
    ) -> None:
        """Args: name: of the policy. subject: the owner of the quota, named in the error."""
        self._cost = _WINDOW / quota
        self._name = name
        self._subject = subject
        self._clock = clock
        self._paid_until: dict[Hashable, float] = {}
        self._sweep_at = _SWEEP
        parameters: ParamsType = {"q": quota, "w": _WINDOW}
        self.policy = http_sf.ser([(name, parameters)]).encode()
        """The value of `RateLimit-Policy`."""
        remaining: ParamsType = {"r": 0}
        self._remaining = http_sf.ser([(name, remaining)]).removesuffix("0").encode()

    def take(self, key: Hashable) -> Allowance:
        """Count one request of the key, unless it exceeds its quota."""
        now = self._clock()
        paid_until = max(self._paid_until.get(key, now), now) + self._cost
        excess = paid_until - now - _WINDOW
        if excess > self._cost * 1e-6:
            wait = max(1, ceil(excess))
            return Allowance(0, wait, wait)
        if len(self._paid_until) >= self._sweep_at:
            self._sweep(now)
        self._paid_until[key] = paid_until
        return Allowance(int(-excess / self._cost + 1e-6), ceil(paid_until - now), 0)

    def headers(self, allowance: Allowance) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651).

        The two integers are inserted into a field that http_sf serialized: serializing all of it took 3 % of a request.
        """
        left = b"%b%d;t=%d" % (self._remaining, allowance.remaining, allowance.reset)
        return [(b"ratelimit-policy", self.policy), (b"ratelimit", left)]

    def require(self, allowance: Allowance) -> None:
        """Raises: TooManyRequests: the key exceeds its quota."""
        if allowance.retry_after:
            detail = f"This {self._subject} is over its rate limit. Try again in {allowance.retry_after} s."
            headers = {"Retry-After": str(allowance.retry_after)}
            raise TooManyRequests(detail, headers=headers, extra={"violatedPolicies": [self._name]})

    def _sweep(self, now: float) -> None:
        self._paid_until = {key: until for key, until in self._paid_until.items() if until > now}
        self._sweep_at = max(_SWEEP, 2 * len(self._paid_until))
