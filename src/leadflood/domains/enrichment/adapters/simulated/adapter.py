"""The simulated provider, for the demo and for tests of the code around adapters."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from leadflood.domains.enrichment.models import Field, FoundValue, KnownLead
from leadflood.domains.jobs.errors import Retryable, Terminal

FailureKind = Literal["retryable", "terminal"]

_METHOD = "simulated"
_CONFIDENCE = 0.1
"""Lower than any real source's confidence, so that a made-up value never wins over a found one."""

_WORD = re.compile(r"[^\W_]+")


class Simulated:
    """Answers after `latency` seconds, and fails for a share of the calls."""

    name = "simulated"
    version = "1"

    def __init__(
        self,
        *,
        latency: float,
        failure_rate: float,
        failure_kind: FailureKind,
        random_unit: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Configure the behavior.

        Args:
            latency: seconds before the answer or the failure, 0 or more.
            failure_rate: share of calls that fail, 0 to 1.
            failure_kind: what a failing call raises.
            random_unit: a number from [0, 1) for each call; below `failure_rate` the call fails.
            sleep: waits for that many seconds.

        Raises:
            ValueError: on a value outside these ranges.
        """
        if not 0 <= latency < float("inf"):
            message = f"The latency is {latency}; it must be 0 or more seconds."
            raise ValueError(message)
        if not 0 <= failure_rate <= 1:
            message = f"The failure rate is {failure_rate}; it must lie between 0 and 1."
            raise ValueError(message)
        if failure_kind not in ("retryable", "terminal"):
            message = f"The failure kind is {failure_kind!r}; it must be 'retryable' or 'terminal'."
            raise ValueError(message)
        self._latency = latency
        self._failure_rate = failure_rate
        self._failure_kind = failure_kind
        self._random_unit = random_unit
        self._sleep = sleep

    @property
    def is_local(self) -> bool:
        """See `Adapter.is_local`."""
        return self._latency == 0 and self._failure_rate == 0

    async def enrich(self, lead: KnownLead) -> Sequence[FoundValue]:
        """Made-up values that depend only on the address.

        Raises:
            Retryable: for `failure_rate` of the calls, with `failure_kind="retryable"`.
            Terminal: the same, with `failure_kind="terminal"`.
        """
        if self._latency:
            await self._sleep(self._latency)
        if self._random_unit() < self._failure_rate:
            if self._failure_kind == "retryable":
                message = "Simulated provider: unavailable (test setting)."
                raise Retryable(message)
            message = "Simulated provider: lead refused (test setting)."
            raise Terminal(message)
        local, _, domain = lead.email_norm.rpartition("@")
        values = {
            Field.FIRST_NAME: _first_word(local, otherwise="Simulated"),
            Field.LAST_NAME: "Simulated",
            Field.COMPANY_NAME: f"{_first_word(domain, otherwise='Example')} (simulated)",
        }
        evidence = "Made up by the simulated provider (test data)."
        return [FoundValue(field, value, _CONFIDENCE, _METHOD, evidence) for field, value in values.items()]


def _first_word(text: str, *, otherwise: str) -> str:
    match = _WORD.search(text)
    return match.group().capitalize() if match else otherwise
