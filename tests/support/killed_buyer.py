"""A process that asks a provider about companies until all are answered or in doubt, and may be killed at any point.

The provider is a table, on connections of its own: it charges before it answers, and counts what it charged by question
and by purchase. `repeat`: whether it charges for a repeated purchase once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

import asyncpg

from leadflood.bootstrap import SUBSCRIBERS
from leadflood.domains.enrichment.engine.memory import MemoryBreakers, MemoryRates
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import Answer, Charge, Fetcher, Found, Question, Repeat, Speed, SubjectKind
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.runs import RunRequest
from leadflood.domains.enrichment.store.lookups import LookupAsker, end_claims
from leadflood.kernel.crypto import keyed_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import ConnectionPool
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.queue.postgres import PostgresQueueBackend
from leadflood.kernel.tasks import task_group
from tests.integration.spending.till import SOURCE
from tests.support.asked_sources import fact, spec_of
from tests.support.canned_web import CannedFetcher

CHARGE = """
INSERT INTO public.charges (question, purchase) VALUES ($1, $2) ON CONFLICT (question, purchase) DO UPDATE
SET requests = charges.requests + 1
"""
TASKS = 4
"""Questions that a process asks at a time, whose purchases share transactions."""
_KEY = b"k" * 32


@dataclass(frozen=True)
class Purchase:
    """A process's task. Args: provider_url: of the provider's own database role."""

    url: str
    provider_url: str
    workspace_id: UUID
    companies: Sequence[UUID]
    repeat: Repeat


class Provider:
    """Charges one unit for a question, then answers after a moment."""

    def __init__(self, charges: asyncpg.Pool, repeat: Repeat, chance: Random) -> None:
        self._charges = charges
        self._chance = chance
        spec = spec_of(SOURCE, company.NAME, speed=Speed.PAID, charges=Charge.ON_CALL, most_units=2)
        self.spec = replace(spec, repeat=repeat, one_service=False)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The answer."""
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        await self._charges.execute(CHARGE, question.text(company.DOMAIN), question.purchase_id)
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        return Found([fact("Acme")], units=1)


def run(task: Purchase, seed: int) -> None:
    """Ask about every company, again and again, until this process is killed."""
    asyncio.run(_run(task, Random(seed)))  # noqa: S311  no secret


async def _run(task: Purchase, chance: Random) -> None:
    queue = PostgresQueueBackend(task.url, role=APP_ROLE)
    await queue.open()
    database = Database(
        ConnectionPool(task.url, application_name="buyer", size=4, statement_timeout=30), queue, SUBSCRIBERS
    )
    charges = await asyncpg.create_pool(task.provider_url, min_size=1, max_size=TASKS)
    provider, groups = Provider(charges, task.repeat, chance), PurchaseGroups(database)
    async with task_group() as together:
        for _ in range(TASKS):
            together.create_task(_ask(database, groups, provider, task, chance))


async def _ask(database: Database, groups: PurchaseGroups, provider: Provider, task: Purchase, chance: Random) -> None:
    while True:
        company_id = chance.choice(task.companies)
        asker = LookupAsker(task.workspace_id, SubjectKind.COMPANY, company_id)
        async with database.transaction(task.workspace_id) as tx:
            await end_claims(tx, asker)  # as the next attempt of a job does
        ports = EnginePorts(
            PostgresLookups(database, asker, groups), MemoryRates(), MemoryBreakers(), CannedFetcher(), _fingerprint
        )
        request = RunRequest(
            SubjectKind.COMPANY, {company.DOMAIN: f"{company_id}.test"}, frozenset({company.NAME}), Policy()
        )
        await Engine([provider], ports).run(request)


async def _fingerprint(*parts: bytes) -> bytes:
    return keyed_hash(_KEY, *parts)
