"""kill -9 of processes at any point of a call that costs money: before it is purchased, while it is made, after it.

The provider counts what it charges. Each process also takes over the questions of the others, as after a lost lease.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from random import Random
from uuid import UUID

import asyncpg
import pytest

from leadflood.domains.enrichment.jobs.reconciling import reconciling
from leadflood.domains.enrichment.models import Repeat
from leadflood.domains.enrichment.service.workspace_sources import FixedSources
from leadflood.kernel.db.database import Database
from tests.conftest import DATABASE, Workspace
from tests.integration.spending.till import PRICE, Till
from tests.support.journeys import pause
from tests.support.killed_buyer import Purchase, run
from tests.support.new_companies import new_company
from tests.support.postgres import Cluster

PROCESSES = 4
KILLS = 300
COMPANIES = 400
CHARGES = """
CREATE TABLE IF NOT EXISTS public.charges (
    question text, purchase uuid, requests integer NOT NULL DEFAULT 1, PRIMARY KEY (question, purchase))
"""
OUTCOMES = """
SELECT company_id, array_agg(state) AS states FROM leadflood.lookups WHERE workspace_id = $1 GROUP BY company_id
"""


@dataclass
class World:
    """The books, the provider's own count, and the processes that purchase."""

    till: Till
    task: Purchase
    provider: asyncpg.Connection
    budget_id: UUID

    def start(self, seed: int) -> ForkProcess:
        """A process."""
        child = multiprocessing.get_context("fork").Process(target=run, args=(self.task, seed), daemon=True)
        child.start()
        return child

    async def charged(self) -> Mapping[UUID, int]:
        """Purchases that the provider charged, by company."""
        rows = await self.provider.fetch("SELECT question, count(*) AS count FROM public.charges GROUP BY question")
        return {UUID(row["question"].removesuffix(".test")): row["count"] for row in rows}


@pytest.fixture(params=[Repeat.NEVER, Repeat.IDEMPOTENT])
async def world(
    request: pytest.FixtureRequest, cluster: Cluster, database: Database, workspace: Workspace, application_url: str
) -> AsyncIterator[World]:
    till = Till(database, workspace.actor)
    await till.price()
    budget_id = await till.budget(COMPANIES * 2 * PRICE)
    companies = [await new_company(database, workspace.id) for _ in range(COMPANIES)]
    provider = await asyncpg.connect(cluster.url(DATABASE))
    await provider.execute(CHARGES)
    await provider.execute("TRUNCATE public.charges")
    task = Purchase(application_url, cluster.url(DATABASE), workspace.id, companies, request.param)
    yield World(till, task, provider, budget_id)
    await provider.execute("DROP TABLE public.charges")
    await provider.close()


@pytest.mark.long
async def test_nothing_is_paid_for_twice_and_the_books_balance_whatever_is_killed(world: World, seed: int) -> None:
    chance = Random(seed)  # noqa: S311  no secret
    children = [world.start(chance.randrange(10**9)) for _ in range(PROCESSES)]
    for _ in range(KILLS):
        await asyncio.to_thread(pause, chance.uniform(0.02, 0.3))
        victim = chance.randrange(PROCESSES)
        pid = children[victim].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        children[victim].join()
        children[victim] = world.start(chance.randrange(10**9))
    for child in children:
        child.kill()
        child.join()
    (job,) = reconciling(world.till.database, FixedSources([]), lambda _: None)  # type: ignore[arg-type,return-value]
    await job.handler(None)  # type: ignore[arg-type]

    charged = await world.charged()
    reserved, in_doubt, spent = await world.till.sums(world.budget_id)
    rows = await world.provider.fetch(OUTCOMES, world.task.workspace_id)
    states = {row["company_id"]: list(row["states"]) for row in rows}
    print(f"{len(charged)} charged, {in_doubt // PRICE // 2} in doubt, {spent // PRICE} settled")  # noqa: T201

    assert len(charged) > KILLS / 10
    assert {company_id for company_id, count in charged.items() if count > 1} == set(), "paid for twice"
    assert all(len(each) == 1 for each in states.values()), "one answer, or one doubt"
    found = [company_id for company_id, each in states.items() if each == ["found"]]
    assert set(found) <= set(charged)
    assert spent == len(found) * PRICE
    assert set(charged) <= set(states), "what was charged is answered, or in doubt"
    assert len(charged) * PRICE <= spent + in_doubt + reserved
    assert await world.till.violations() == []
