"""The simulated provider, for tests of the code around sources."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Fetcher,
    Found,
    Question,
    Refused,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts

FailureKind = Literal["retryable", "terminal"]

_CONFIDENCE: Final = 0.1
"""Lower than any real source's confidence, so that a made-up value never wins over a found one."""
_WORD: Final = re.compile(r"[^\W_]+")
_AT_ONCE: Final = timedelta(0)


class Simulated:
    """Answers after `latency` seconds, and fails for a share of the calls."""

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
        self.spec = SourceSpec(
            name="simulated",
            version="1",
            label="Simulated provider",
            subject=SubjectKind.LEAD,
            speed=Speed.NETWORK if latency or failure_rate else Speed.INSTANT,
            needs=(frozenset({lead.EMAIL}),),
            gives=frozenset({lead.FIRST_NAME, lead.LAST_NAME, lead.COMPANY_NAME}),
            family="simulated",
            one_service=False,
            concurrency=1000,
            seconds=max(30.0, 2 * latency),
        )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  it is asked like all sources
        """Made-up values that depend only on the address.

        Raises:
            Away: for `failure_rate` of the calls, with `failure_kind="retryable"`.
            Refused: the same, with `failure_kind="terminal"`.
        """
        if self._latency:
            await self._sleep(self._latency)
        if self._random_unit() < self._failure_rate:
            if self._failure_kind == "retryable":
                raise Away("Simulated provider: unavailable (test setting).")
            raise Refused("Simulated provider: lead refused (test setting).", _AT_ONCE)
        local, _, domain = (question.text(lead.EMAIL) or "").lower().rpartition("@")
        collected = CollectedFacts(question.asked_at)
        for field, value in (
            (lead.FIRST_NAME, _first_word(local, otherwise="Simulated")),
            (lead.LAST_NAME, "Simulated"),
            (lead.COMPANY_NAME, f"{_first_word(domain, otherwise='Example')} (simulated)"),
        ):
            collected.add(field, value, _CONFIDENCE, "simulated", "Made up by the simulated provider (test data).")
        return Found(collected.facts)


def _first_word(text: str, *, otherwise: str) -> str:
    match = _WORD.search(text)
    return match.group().capitalize() if match else otherwise
