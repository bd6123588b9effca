"""Rows that the books of purchases read, while the statistics are those of empty tables."""

import asyncio
from datetime import timedelta

from leadflood.domains.enrichment.engine.postgres import PostgresLookups
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.models import Repeat, SubjectKind
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupKey,
    LookupOutcome,
    LookupState,
    PaidCall,
)
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.clock import utc_now
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace, new_workspace
from tests.integration.db.conftest import without_statistics
from tests.integration.spending.till import SOURCE, Till
from tests.support.asked_sources import fact
from tests.support.new_companies import new_company
from tests.support.postgres import Cluster

WARM_UP, ROUNDS, TOGETHER = 20, 40, 3
"""Rounds after which PostgreSQL no longer plans each statement anew, rounds that count, and purchases of a round."""
MAX_READS = 12
"""Reads per purchase. A statement that reads all rows of the workspace adds half as many as there are."""


async def buy(lookups: PostgresLookups) -> None:
    key, now = LookupKey(SOURCE, new_id().bytes * 2), utc_now()
    claim = await lookups.claim(key, now=now, until=now + timedelta(hours=1), paid=PaidCall(1, Repeat.NEVER))
    assert isinstance(claim, LookupClaim), claim
    facts = [fact(key.fingerprint.hex())]
    assert await lookups.answer(
        key, claim, LookupOutcome(LookupState.FOUND, now, now + timedelta(days=1), facts, units=1)
    )


async def test_the_books_of_a_purchase_are_found_by_its_id(cluster: Cluster) -> None:
    async with without_statistics(cluster, "purchase_rows_read") as plans:
        till = Till(plans.database, Workspace(await new_workspace(plans.database)).actor)
        await till.price()
        await till.budget(10_000_000)
        workspace_id = till.actor.workspace_id
        asker = LookupAsker(workspace_id, SubjectKind.COMPANY, await new_company(plans.database, workspace_id))
        lookups = PostgresLookups(plans.database, asker, PurchaseGroups(plans.database))
        for turn in range(WARM_UP + ROUNDS):
            if turn == WARM_UP:
                plans.nodes.clear()
            await asyncio.gather(*(buy(lookups) for _ in range(TOGETHER)))

    read = plans.rows_read()["purchases purchases_pkey"]
    assert 0 < read <= MAX_READS * ROUNDS * TOGETHER
