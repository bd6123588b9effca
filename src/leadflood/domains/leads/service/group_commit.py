"""Group commit: creates of one workspace that arrive together share one transaction.

docs/decisions/0013-group-commit.md has the promises and the figures.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from leadflood.domains.leads.contracts import LeadCreated, NewLead
from leadflood.domains.leads.service import create_leads
from leadflood.kernel.batching import KeyedBatcher
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import DatabaseError, LockConflict
from leadflood.kernel.db.transaction import StatementLimits, Transaction
from leadflood.kernel.error_redaction import describe
from leadflood.kernel.errors import AppError, Unavailable
from leadflood.kernel.fair_slots import FairSlots
from leadflood.kernel.idempotency import KeyedRequest, StoredResponse, claim_keys, store_responses
from leadflood.kernel.observability import Metrics

MAX_GROUP = 500
MAX_WAITING = 2000
_MAX_SINGLE = 5
"""Concurrent transactions of leads whose group failed."""
_MAX_SLOW = 3
"""Concurrent transactions for leads that wait for a lock. They leave connections of the pool (10) for other work."""

_log = structlog.get_logger()

Outcome: TypeAlias = LeadCreated | StoredResponse | AppError


_IN_GROUP = StatementLimits(0.1, 2.0)
"""A lead that delays its group for longer is created alone."""
_ALONE = StatementLimits(0.03, 2.0)
_SLOW = StatementLimits(2.0, 5.0)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A lead to create, and the key of its request, if any."""

    lead: NewLead
    keyed: KeyedRequest[LeadCreated] | None

    @property
    def address(self) -> tuple[UUID, str]:
        return self.lead.actor.workspace_id, self.lead.command.email.norm


class GroupFailed(Exception):
    """Nothing of a group was written, for a reason that may concern only some of its leads."""


class GroupCommit:
    """Collects the leads of each workspace while its previous transaction runs."""

    def __init__(self, database: Database, metrics: Metrics, *, max_waiting: int = MAX_WAITING) -> None:
        """`max_waiting`: maximum waiting leads in this process; more are refused with 503."""
        self._database = database
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._waiting = 0
        self._groups: KeyedBatcher[UUID, _Pending, Outcome] = KeyedBatcher(self._commit_group, max_size=MAX_GROUP)
        self._keys: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._suspects = FairSlots(_MAX_SINGLE, per_key=_MAX_SINGLE, queue=max_waiting)
        self._patient = FairSlots(_MAX_SLOW, per_key=_MAX_SLOW, queue=max_waiting)
        self._blocked: dict[tuple[UUID, str], asyncio.Future[None]] = {}

    async def create(
        self, lead: NewLead, keyed: KeyedRequest[LeadCreated] | None = None
    ) -> LeadCreated | StoredResponse:
        """The lead, once it is committed, or the stored response of the request's key.

        Raises: DuplicateLead, UnknownOwner, IdempotencyInProgress, IdempotencyMismatch, Unavailable.
        """
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many leads are waiting. Try again shortly.")
        pending = _Pending(lead, keyed)
        self._waiting += 1
        try:
            if keyed is None:
                outcome = await self._outcome(pending)
            else:
                # Requests with the same key run one after the other: the later one finds the response of the first.
                lock = self._keys.setdefault(keyed.key.hash, asyncio.Lock())
                async with lock:
                    outcome = await self._outcome(pending)
        finally:
            self._waiting -= 1
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def _outcome(self, pending: _Pending) -> Outcome:
        """In the group; if that fails, alone; if a lock is in the way, alone with a longer timeout."""
        if not self._blocked or pending.address not in self._blocked:
            try:
                return await self._in_group(pending)
            except GroupFailed:
                pass
            try:
                async with self._suspects.slot(pending.lead.actor.workspace_id):
                    return await self._alone(pending, _ALONE)
            except LockConflict:
                pass
        return await self._retry_slowly(pending)

    async def _in_group(self, pending: _Pending) -> Outcome:
        return await self._groups(pending.lead.actor.workspace_id, pending)

    async def _commit_group(self, workspace_id: UUID, group: Sequence[_Pending]) -> Sequence[Outcome]:
        try:
            return await self._commit(workspace_id, group, _IN_GROUP)
        except (LockConflict, DatabaseError) as error:
            _log.warning("leads.group_failed", workspace_id=str(workspace_id), leads=len(group), cause=describe(error))
            raise GroupFailed from error

    async def _alone(self, pending: _Pending, limits: StatementLimits) -> Outcome:
        (outcome,) = await self._commit(pending.lead.actor.workspace_id, [pending], limits)
        return outcome

    async def _retry_slowly(self, pending: _Pending) -> Outcome:
        """Wait for the lock of the email: one request per email at a time; the others wait for its end.

        Raises: LockConflict.
        """
        while (first := self._blocked.get(pending.address)) is not None:
            await asyncio.shield(first)
        released = asyncio.get_running_loop().create_future()
        self._blocked[pending.address] = released
        try:
            async with self._patient.slot(pending.lead.actor.workspace_id):
                outcome = await self._alone(pending, _SLOW)
        except LockConflict as error:
            released.set_exception(LockConflict(error.detail))
            released.exception()  # it may have no waiter
            raise
        finally:
            del self._blocked[pending.address]
            if not released.done():
                released.set_result(None)
        return outcome

    async def _commit(self, workspace_id: UUID, group: Sequence[_Pending], limits: StatementLimits) -> list[Outcome]:
        with self._metrics.transactions_open.track_inprogress():
            async with self._database.transaction(workspace_id, limits=limits) as tx:
                known = await _known(tx, group)
                fresh = [item for item, answer in zip(group, known, strict=True) if answer is None]
                created = iter(await _create(tx, workspace_id, fresh) if fresh else ())
        return [next(created) if answer is None else answer for answer in known]


async def _known(tx: Transaction, group: Sequence[_Pending]) -> list[StoredResponse | AppError | None]:
    """The stored responses of used keys, or their refusals; None for new requests."""
    keys = [item.keyed.key for item in group if item.keyed is not None]
    claimed = iter(await claim_keys(tx, keys) if keys else ())
    return [next(claimed) if item.keyed is not None else None for item in group]


async def _create(tx: Transaction, workspace_id: UUID, fresh: Sequence[_Pending]) -> list[LeadCreated | AppError]:
    outcomes = await create_leads(tx, workspace_id=workspace_id, leads=[item.lead for item in fresh])
    answers = [
        (item.keyed.key, answer)
        for item, outcome in zip(fresh, outcomes, strict=True)
        if item.keyed is not None and (answer := item.keyed.kept(outcome)) is not None
    ]
    if answers:
        await store_responses(tx, answers)
    return outcomes
