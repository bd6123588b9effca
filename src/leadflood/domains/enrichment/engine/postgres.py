"""The engine's ports in the database, for all workers together."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.engine import purchasing
from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
    PaidCall,
)
from leadflood.domains.enrichment.models.sources import Rate
from leadflood.domains.enrichment.store import gates, lookups, read_pages
from leadflood.domains.enrichment.store.lookups import LookupAsker, NewAnswer, StoredOutcome
from leadflood.domains.enrichment.store.paid_lookups import PaidQuestion
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_FIRST_PAUSE: Final = 0.1
_BREAKERS_KEPT: Final = 1.0
"""Seconds for which a process relies on the breakers that it has read."""
_MAX_PAUSE: Final = 2.0
"""Seconds between two looks at a lookup of another process, doubled each time."""


class PostgresLookups:
    """Lookups of one workspace, asked for one subject. See `leadflood.domains.enrichment.engine.ports.Lookups`."""

    def __init__(
        self,
        database: Database,
        asker: LookupAsker,
        groups: PurchaseGroups | None = None,
        *,
        keeps_pages: bool = False,
    ) -> None:
        """Args: groups: of this process. keeps_pages: whether pages of free answers are stored, and come back."""
        self._database = database
        self._asker = asker
        self._keeps_pages = keeps_pages
        self._groups = PurchaseGroups(database) if groups is None else groups
        self.used: set[UUID] = set()
        """IDs of the lookups whose answers were used."""

    async def claim(
        self,
        key: LookupKey,
        *,
        now: datetime,
        until: datetime,
        newer_than: datetime | None = None,
        paid: PaidCall | None = None,
    ) -> Claimed:
        """See `Lookups.claim`."""
        if paid is not None:
            return await self._groups.claim(PaidQuestion(self._asker, key, paid, now, until))
        anyway = False
        while True:
            async with self._database.transaction(self._asker.workspace_id) as tx:
                token = await lookups.claim(
                    tx, self._asker, key, now=now, until=until, newer_than=newer_than, anyway=anyway
                )
                known = await lookups.answered(tx, self._asker, key)
                if known is not None and _need_not_be_asked(known.outcome, now, newer_than):
                    if token is not None:
                        await lookups.release(tx, self._asker, key, LookupClaim(token))
                    self.used.add(known.lookup_id)
                    return await self._with_pages(tx, known)
                if token is not None:
                    return LookupClaim(token, None if known is None else known.outcome)
                claimed = await lookups.claimed_until(tx, self._asker, key)
            if claimed is not None:
                return LookupInProgress(claimed)
            anyway = True  # the other caller has ended without an answer

    async def answer(self, key: LookupKey, claim: LookupClaim, outcome: LookupOutcome) -> bool:
        """See `Lookups.answer`. The answer is stored whatever has become of the job that asked."""
        answer = NewAnswer(key, claim.token, outcome)
        if claim.purchase_id is not None:
            lookup_id = await self._groups.answer(self._asker, answer)
        else:
            async with self._database.transaction(self._asker.workspace_id) as tx:
                stored = await lookups.answer(tx, self._asker.workspace_id, [answer])
                lookup_id = stored[claim.token].id if claim.token in stored else None
                if lookup_id is not None and outcome.pages and self._keeps_pages:
                    workspace_id, until = self._asker.workspace_id, outcome.expires_at
                    await read_pages.save(tx, workspace_id, lookup_id, outcome.pages, expires_at=until)
        if lookup_id is not None:
            self.used.add(lookup_id)
        return lookup_id is not None

    async def release(self, key: LookupKey, claim: LookupClaim, *, units: int = 0) -> None:
        """See `Lookups.release`."""
        async with self._database.transaction(self._asker.workspace_id) as tx:
            if claim.purchase_id is None:
                await lookups.release(tx, self._asker, key, claim)
            else:
                await purchasing.release(tx, self._asker, key, claim, units=units)

    async def doubt(self, key: LookupKey, claim: LookupClaim, *, sentence: str) -> None:
        """See `Lookups.doubt`."""
        async with self._database.transaction(self._asker.workspace_id) as tx:
            await purchasing.doubt(tx, self._asker, key, claim, sentence=sentence)

    async def stored(self, key: LookupKey, *, now: datetime) -> LookupOutcome | None:
        """See `Lookups.stored`."""
        known = await self._groups.stored(self._asker, key)
        if known is None or not known.outcome.is_good(now, None):
            return None
        self.used.add(known.lookup_id)
        return known.outcome

    async def pending(self, source: str) -> LookupKey | None:
        """See `Lookups.pending`."""
        async with self._database.transaction(self._asker.workspace_id, read_only=True) as tx:
            return await lookups.pending(tx, self._asker, source)

    async def _with_pages(self, tx: Transaction, known: StoredOutcome) -> LookupOutcome:
        """A stored answer, with its pages where they are kept."""
        if not self._keeps_pages or known.outcome.state is not LookupState.FOUND:
            return known.outcome
        pages = await read_pages.pages_of(tx, self._asker.workspace_id, known.lookup_id)
        return replace(known.outcome, pages=pages)

    async def wait(self, key: LookupKey, *, seconds: float) -> None:
        """See `Lookups.wait`. The other caller may be in another process, so its row is looked at."""
        end, pause = monotonic() + seconds, _FIRST_PAUSE
        while (left := end - monotonic()) > 0:
            async with self._database.transaction(self._asker.workspace_id, read_only=True) as tx:
                if await lookups.claimed_until(tx, self._asker, key) is None:
                    return
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, _MAX_PAUSE)


def _need_not_be_asked(known: LookupOutcome, now: datetime, newer_than: datetime | None) -> bool:
    """Whether an answer is good, or came while its question was being claimed."""
    return known.is_good(now, newer_than) or (known.answered_at > now and known.is_good(now, None))


class PostgresRates:
    """See `leadflood.domains.enrichment.engine.ports.Rates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, source: str, rate: Rate, *, now: datetime, most_wait: float) -> float:
        """See `Rates.reserve`."""
        async with self._database.system_statement() as tx:
            return await gates.reserve(tx, source, rate, now=now, most_wait=most_wait)


class PostgresBreakers:
    """See `leadflood.domains.enrichment.engine.ports.Breakers`.

    A process reads them at most once a second, so that it may call a source for that long after another one has found
    out that it is down. A breaker that is not in its initial state is read again before each call.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, Breaker] = {}
        self._read_at = -_BREAKERS_KEPT
        self._reading = asyncio.Lock()

    async def all(self) -> dict[str, Breaker]:
        """See `Breakers.all`."""
        async with self._reading:  # runs that come together read them once
            if (now := self._clock()) - self._read_at >= _BREAKERS_KEPT:
                async with self._database.system_statement() as tx:
                    self._known = await gates.all_breakers(tx)
                self._read_at = now
            return dict(self._known)

    async def admit(self, source: str, *, now: datetime) -> Breaker | None:
        """See `Breakers.admit`."""
        if source not in await self.all():
            return None
        async with self._database.system() as tx:
            found = await gates.breaker(tx, source)
            admitted = found.admitted(now)
            if admitted is None:
                return found
            if admitted != found and not await gates.admit(tx, source, found, admitted):
                return found
        return None

    async def change(self, source: str, change: Callable[[Breaker], Breaker]) -> None:
        """See `Breakers.change`."""
        known = (await self.all()).get(source, Breaker())
        if change(known) == known:
            return
        async with self._database.system() as tx:
            await gates.store_breaker(tx, source, change(await gates.lock_breaker(tx, source)))
        self._read_at = -_BREAKERS_KEPT
