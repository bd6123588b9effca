"""Calls whose answer was lost: resolved by evidence, and never by asking blindly again.

A provider's counter says what was charged, if no other call was under way. Without evidence, the maximum is written off
after a day. A counter that has moved further than the books, as after a restore of the database, pauses the source.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.doubts import UsageReading, charged_since, evidence
from leadflood.domains.enrichment.models.lookups import DOUBT_KEPT
from leadflood.domains.enrichment.store import counters, paid_lookups
from leadflood.domains.enrichment.store import doubts as store
from leadflood.domains.enrichment.store.doubts import LostCall
from leadflood.domains.spending import queries as books
from leadflood.domains.spending.models import Settlement
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_NO_ANSWER: Final = "The answer to the last call was lost."
_WRITTEN_OFF: Final = "Its answer was lost, and its cost was written off. Asking again may cost twice."
_CHARGED: Final = "It charged for a call whose answer was lost. Asking again costs again."
_EXPIRED: Final = "It never answered."
_UNCLEAR: Final = "It is not clear yet what its lost calls cost."
_KEPT: Final = timedelta(days=30)
"""Time for which a question is not asked again whose answer was paid for and lost."""


async def settle_old(tx: Transaction, actor: Actor, *, lookup_ids: Sequence[UUID]) -> list[LostCall]:
    """Hold calls whose time is over, and end those that are in doubt for a day. Returns those still in doubt."""
    calls = await store.lock(tx, actor.workspace_id, lookup_ids, kept=DOUBT_KEPT)
    alive = await books.open_purchases(tx, actor, ids=[call.purchase_id for call in calls])
    left = []
    for call in calls:
        if call.state == "waiting":
            await purchases.settle(tx, actor, [Settlement(call.purchase_id, call.units, hit=False)])
            await _end(tx, actor, call, _EXPIRED)
        elif call.purchase_id not in alive:  # a user wrote it off
            await _end(tx, actor, call, _WRITTEN_OFF)
        elif call.old:
            await purchases.write_off(tx, actor, [call.purchase_id], sentence=_WRITTEN_OFF)
            await _end(tx, actor, call, _WRITTEN_OFF)
        else:
            if await paid_lookups.doubt(tx, actor.workspace_id, call.id, sentence=_NO_ANSWER):
                await purchases.hold(tx, actor, [call.purchase_id], sentence=_NO_ANSWER)
            left.append(call)
    return left


async def quiet_reading(
    tx: Transaction, actor: Actor, *, source: str, others: Collection[str], counted: int = 0
) -> UsageReading | None:
    """The books of a source and of the other ones of its provider; None while a call is under way.

    Args: counted: units by the provider's counter.
    """
    booked, under_way = await books.booked_units(tx, actor, sources=[source])
    elsewhere, also_under_way = await books.booked_units(tx, actor, sources=others)
    doubts = [await store.in_doubt(tx, actor.workspace_id, other) for other in others]
    if under_way or also_under_way or any(doubts):
        return None
    return UsageReading(counted, booked, elsewhere)


async def note_unclear(tx: Transaction, actor: Actor, *, source: str, others: Collection[str]) -> None:
    """Record that a counter says nothing while lost calls of its provider's other sources are not resolved.

    While a call is under way, it is read when that has ended.
    """
    _, under_way = await books.booked_units(tx, actor, sources=[source, *others])
    if not under_way:
        await note_failure(tx, actor, source=source, sentence=_UNCLEAR)


async def note_failure(tx: Transaction, actor: Actor, *, source: str, sentence: str) -> None:
    """Record why a counter could not be read, or says nothing: purchases do not wait for it any longer."""
    await counters.store_failure(tx, actor.workspace_id, source, sentence)


async def compare(
    tx: Transaction, actor: Actor, *, source: str, others: Collection[str], before_call: UsageReading, counted: int
) -> None:
    """Resolve the calls in doubt of a source by its provider's counter, or remember what it says.

    Args: before_call: the books before the counter was read. If they have changed since then, nothing happens.
    """
    now = await quiet_reading(tx, actor, source=source, others=others, counted=counted)
    if now is None or now != replace(before_call, counted=counted):
        return
    before = await store.reading(tx, actor.workspace_id, source)
    lost = await _in_doubt(tx, actor, source)
    charged = None if before is None else charged_since(before, now)
    if lost:
        if not await _resolve(tx, actor, lost, charged):
            await note_failure(tx, actor, source=source, sentence=_UNCLEAR)
            return
        booked, _ = await books.booked_units(tx, actor, sources=[source])
        now = replace(now, booked=booked)
    elif charged:
        reason = f"It is paused: its provider charged {charged} units that are not in the books."
        await purchases.pause(tx, actor, source=source, reason=reason)
    await store.store_reading(tx, actor.workspace_id, source, now)


async def _in_doubt(tx: Transaction, actor: Actor, source: str) -> list[LostCall]:
    ids = await store.in_doubt(tx, actor.workspace_id, source)
    return await store.lock(tx, actor.workspace_id, ids, kept=DOUBT_KEPT) if ids else []


async def _resolve(tx: Transaction, actor: Actor, lost: Sequence[LostCall], charged: int | None) -> bool:
    """Settle or release calls in doubt; False where the counter does not say which of them were charged."""
    most = await books.open_purchases(tx, actor, ids=[call.purchase_id for call in lost])
    lost = [call for call in lost if call.purchase_id in most]
    found = evidence(charged, [most[call.purchase_id] for call in lost])
    if found is None:
        return False
    for call, units in zip(lost, found, strict=True):
        if units:
            await purchases.settle(tx, actor, [Settlement(call.purchase_id, units, hit=False)])
            await _end(tx, actor, call, _CHARGED)
        else:
            await purchases.release(tx, actor, [call.purchase_id])
            await store.free(tx, actor.workspace_id, [call.id])
    return True


async def _end(tx: Transaction, actor: Actor, call: LostCall, sentence: str) -> None:
    await store.give_up(tx, actor.workspace_id, [call.id], kept=_KEPT, sentence=sentence)
