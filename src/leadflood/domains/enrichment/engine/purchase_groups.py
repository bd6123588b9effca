"""Purchases of one process: those of a workspace that wait at the same time share a transaction.

All purchases of a workspace lock the same rows, those of its budgets, so each waits for the commit of the one before.
In a group they wait for one commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from leadflood.domains.enrichment.engine import purchasing
from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey
from leadflood.domains.enrichment.store import lookups
from leadflood.domains.enrichment.store.lookups import LookupAsker, NewAnswer, StoredOutcome
from leadflood.domains.enrichment.store.paid_lookups import PaidQuestion
from leadflood.kernel.actor import Actor
from leadflood.kernel.batching import KeyedBatcher, together_or_alone
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

MAX_GROUP: Final = 200

_log = structlog.get_logger()

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class PurchaseGroups:
    """Purchases of one process. What fails of a group is done again, each purchase alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looking: KeyedBatcher[UUID, tuple[LookupAsker, LookupKey], StoredOutcome | None] = KeyedBatcher(
            self._look, max_size=MAX_GROUP
        )
        self._claiming = KeyedBatcher(partial(self._serve, purchasing.claim), max_size=MAX_GROUP)
        self._answering = KeyedBatcher(partial(self._serve, purchasing.answer), max_size=MAX_GROUP)

    async def stored(self, asker: LookupAsker, key: LookupKey) -> StoredOutcome | None:
        """The latest answer to a question."""
        return await self._looking(asker.workspace_id, (asker, key))

    async def claim(self, question: PaidQuestion) -> Claimed:
        """Claim and purchase a question, or neither. See `purchasing.claim`."""
        claiming = asyncio.ensure_future(self._claimed(question))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(question, claiming))
            raise

    async def answer(self, asker: LookupAsker, answer: NewAnswer) -> UUID | None:
        """Store and settle an answer. See `purchasing.answer`. It was paid for: it is stored even without a caller."""
        return await asyncio.shield(self._answering(asker.workspace_id, answer))

    async def _claimed(self, question: PaidQuestion) -> Claimed:
        workspace_id = question.asker.workspace_id
        claimed = await self._claiming(workspace_id, question)
        while claimed is None:
            async with self._database.transaction(workspace_id) as tx:
                (claimed,) = await purchasing.claim(tx, Actor.system(workspace_id), [question])
        return claimed

    async def _give_back(self, question: PaidQuestion, claiming: Awaitable[Claimed]) -> None:
        """Release what was purchased for a caller who was stopped meanwhile, and makes no call."""
        claimed = await claiming
        if isinstance(claimed, LookupClaim):
            async with self._database.transaction(question.asker.workspace_id) as tx:
                await purchasing.release(tx, question.asker, question.key, claimed, units=0)

    async def _look(
        self, workspace_id: UUID, questions: Sequence[tuple[LookupAsker, LookupKey]]
    ) -> Sequence[StoredOutcome | None]:
        async with self._database.transaction(workspace_id, read_only=True) as tx:
            return await lookups.all_answered(tx, workspace_id, questions)

    async def _serve(
        self,
        work: Callable[[Transaction, Actor, Sequence[Item]], Awaitable[Sequence[Outcome]]],
        workspace_id: UUID,
        items: Sequence[Item],
    ) -> list[Outcome | Exception]:
        async def in_one_transaction(group: Sequence[Item]) -> Sequence[Outcome]:
            async with self._database.transaction(workspace_id) as tx:
                return await work(tx, Actor.system(workspace_id), group)

        def failed() -> Any:  # noqa: ANN401  it is not read
            _log.warning("enrichment.purchases_failed", calls=len(items), exc_info=True)

        return await together_or_alone(in_one_transaction, items, failed=failed)
