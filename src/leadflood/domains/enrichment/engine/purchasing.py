"""Calls that cost money, in the database.

The claim of a question and its purchase are one transaction, and so are its answer and what that cost. Both are guarded
by the lookup, not by the job: an answer that was paid for is stored and settled, whatever has become of the job.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.engine.ports import Claimed
from leadflood.domains.enrichment.models.lookups import (
    LookupClaim,
    LookupDeclined,
    LookupInDoubt,
    LookupInProgress,
    LookupKey,
    LookupOutcome,
    LookupState,
    PaidCall,
    doubt_until,
)
from leadflood.domains.enrichment.queries.source_settings import is_disabled
from leadflood.domains.enrichment.store import lookups, paid_lookups
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.domains.enrichment.store.paid_lookups import Cause
from leadflood.domains.spending.models import Declined, Order, Settlement
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_STOPPED: Final = "It was stopped before it was asked."
_DISABLED: Final = "It was disabled before it was asked."
_NO_ANSWER: Final = "The answer to the last call was lost."


async def claim(
    tx: Transaction, asker: LookupAsker, key: LookupKey, paid: PaidCall, *, now: datetime, until: datetime
) -> Claimed | None:
    """Claim and purchase a question, or neither. None if another caller ended meanwhile: look again.

    The job runs, and every budget is open and has room, at the moment when this transaction commits.
    """
    cause = await paid_lookups.cause(tx, asker)
    if not cause.runs or await is_disabled(tx, asker.workspace_id, key.source):
        return LookupDeclined(_STOPPED if not cause.runs else _DISABLED)
    row = await paid_lookups.unanswered(tx, asker, key)
    if row is not None:
        return await _claim_again(tx, asker, key, paid, row, cause, now=now, until=until)
    purchase_id = new_id()
    token = await paid_lookups.claim(tx, asker, key, purchase_id, now=now, until=until)
    if token is None:
        return None
    former = await lookups.answered(tx, asker, key)
    if former is not None and former.outcome.is_good(now, None):  # it came since the caller looked
        await paid_lookups.remove(tx, asker.workspace_id, token)
        return former.outcome
    declined = await _reserve(tx, asker, key, paid, cause, purchase_id, reference=token)
    if declined is not None:
        await paid_lookups.remove(tx, asker.workspace_id, token)
        return LookupDeclined(declined.sentence, declined.until)
    return LookupClaim(token, None if former is None else former.outcome, purchase_id)


async def _claim_again(
    tx: Transaction,
    asker: LookupAsker,
    key: LookupKey,
    paid: PaidCall,
    row: Row,
    cause: Cause,
    *,
    now: datetime,
    until: datetime,
) -> Claimed | None:
    """Continue where an earlier caller was stopped: poll its ticket, or repeat its call as the same purchase.

    A lost call that may be charged twice is not repeated.
    """
    lost = row.state != LookupState.WAITING
    if row.claim is not None and row.claimed_until > now and row.state != "in_doubt":
        return LookupInProgress(row.claimed_until)
    if lost and row.purchase_id is not None and not paid.repeatable:
        if row.state != "in_doubt":
            await _doubt(tx, asker, row.id, row.purchase_id, sentence=_NO_ANSWER)
        return LookupInDoubt(doubt_until(row.doubted_at or now, paid.repeat))
    purchase_id, declined = row.purchase_id, None
    if lost:
        again = await purchases.repeat(tx, _actor(asker), purchase_id) if purchase_id is not None else None
        if again is None or not again.open:
            purchase_id = new_id()
            declined = await _reserve(tx, asker, key, paid, cause, purchase_id, reference=row.id)
        else:
            declined = again.declined
    if declined is not None:
        return LookupDeclined(declined.sentence, declined.until)
    former = await lookups.answered(tx, asker, key)
    token = await paid_lookups.take(tx, asker, row.id, purchase_id, until=until)
    return LookupClaim(token, None if former is None else former.outcome, purchase_id)


async def _reserve(
    tx: Transaction,
    asker: LookupAsker,
    key: LookupKey,
    paid: PaidCall,
    cause: Cause,
    purchase_id: UUID,
    *,
    reference: UUID,
) -> Declined | None:
    order = Order(purchase_id, reference, key.source, paid.most_units, asker.subject_id, cause.batch_id, cause.actor_id)
    (answer,) = await purchases.reserve(tx, _actor(asker), [order])
    return answer if isinstance(answer, Declined) else None


async def settle(
    tx: Transaction, asker: LookupAsker, lookup_id: UUID, purchase_id: UUID, outcome: LookupOutcome
) -> None:
    """Settle an answered call. A ticket keeps the purchase open until its answer comes."""
    if outcome.state is LookupState.WAITING:
        return
    hit = outcome.state is LookupState.FOUND
    for settled in await purchases.settle(tx, _actor(asker), [Settlement(purchase_id, outcome.units, hit)]):
        await paid_lookups.set_cost(tx, asker.workspace_id, lookup_id, settled.charged)


async def release(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim, *, units: int) -> None:
    """End a claim without an answer, whose call cost that many units. A ticket stays, and its purchase open."""
    row = await paid_lookups.claimed(tx, asker, key, claim)
    if row is None:
        return
    await paid_lookups.remove(tx, asker.workspace_id, row.id)
    if row.state == LookupState.WAITING:
        return
    if units:
        await purchases.settle(tx, _actor(asker), [Settlement(row.purchase_id, units, hit=False)])
    else:
        await purchases.release(tx, _actor(asker), [row.purchase_id])


async def doubt(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim, *, sentence: str) -> None:
    """Hold the purchase of a call whose answer was lost. A ticket can be polled again."""
    row = await paid_lookups.claimed(tx, asker, key, claim)
    if row is None:
        return
    if row.state == LookupState.WAITING:
        await paid_lookups.remove(tx, asker.workspace_id, row.id)
    else:
        await _doubt(tx, asker, row.id, row.purchase_id, sentence=sentence)


async def _doubt(tx: Transaction, asker: LookupAsker, lookup_id: UUID, purchase_id: UUID, *, sentence: str) -> None:
    if await paid_lookups.doubt(tx, asker.workspace_id, lookup_id, sentence=sentence):
        await purchases.hold(tx, _actor(asker), [purchase_id], sentence=sentence)


def _actor(asker: LookupAsker) -> Actor:
    return Actor.system(asker.workspace_id)
