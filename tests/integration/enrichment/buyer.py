"""Runs that purchase calls from a scripted provider."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts, Rates
from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fetcher,
    Found,
    Question,
    Repeat,
    Source,
    Speed,
    SubjectKind,
    Ticket,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunRequest, Step
from leadflood.domains.enrichment.store.lookups import LookupAsker, end_claims
from leadflood.kernel.clock import utc_now
from tests.integration.spending.till import SOURCE, Till
from tests.support.asked_sources import fact, spec_of
from tests.support.canned_web import CannedFetcher

HIT = Found([fact("Acme")], units=2)
LATER = timedelta(minutes=5)


@dataclass
class Provider:
    """A provider that counts what it charges. `answers`: one after the other; one may be an action."""

    answers: list[Answer | Exception | Callable[[], Answer]]
    repeat: Repeat = Repeat.NEVER
    calls: list[UUID | None] = field(default_factory=list)
    polls: int = 0

    def __post_init__(self) -> None:
        spec = spec_of(SOURCE, company.NAME, speed=Speed.PAID, charges=Charge.ON_CALL, most_units=3)
        self.spec = replace(spec, repeat=self.repeat, seconds=1.0)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        self.calls.append(question.purchase_id)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    async def poll(self, ticket: Ticket, question: Question, fetcher: Fetcher) -> Answer:
        self.polls += 1
        self.calls.pop()
        return await self.ask(question, fetcher)


@dataclass
class Buyer:
    """Runs about one company, in a workspace with a price."""

    till: Till
    asker: LookupAsker
    fingerprint: Callable[..., object]
    rates: Rates = field(default_factory=MemoryRates)

    async def ask(self, source: Source, *, fresh: bool = False) -> Step:
        """The step of the source in a new run."""
        ports = EnginePorts(
            PostgresLookups(self.till.database, self.asker),
            self.rates,
            MemoryBreakers(),
            CannedFetcher(),
            self.fingerprint,  # type: ignore[arg-type]
        )
        request = RunRequest(
            SubjectKind.COMPANY,
            {company.DOMAIN: "acme.com"},
            frozenset({company.NAME}),
            Policy(),
            newer_than=utc_now() if fresh else None,
        )
        (step,) = (await Engine([source], ports).run(request)).steps
        return step

    async def lose_lease(self) -> None:
        """Another attempt begins."""
        async with self.till.database.transaction(self.asker.workspace_id) as tx:
            await end_claims(tx, self.asker)
