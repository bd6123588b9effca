"""Purchases: reserved before a call, and settled by what it cost. Steps of the jobs that call providers."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import structlog

from leadflood.domains.spending import store as settings_store
from leadflood.domains.spending.models import (
    ChargedPurchase,
    Declined,
    Order,
    Price,
    PurchaseState,
    Repeated,
    Reserved,
    Scope,
    Settlement,
    books,
)
from leadflood.domains.spending.models.books import Window, refusal
from leadflood.domains.spending.queries import price_of, prices_of
from leadflood.domains.spending.store import books as store
from leadflood.domains.spending.store.books import Applicable, ChangedPurchase, NewPurchase, Posting, StoredPurchase
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_log = structlog.get_logger()

NO_PRICE: Final = "No price is set for it."
NO_BUDGET: Final = "No budget is set."
NO_BATCH_BUDGET: Final = "This enrichment has no budget for sources that cost money."
HITS_JUDGED: Final = 20
"""Answers of a source before its cost per found answer is judged, and the number of the last ones that are."""
_OPEN: Final = (PurchaseState.RESERVED, PurchaseState.IN_DOUBT)
_SPENT: Final = (PurchaseState.SETTLED, PurchaseState.WRITTEN_OFF)


async def reserve(tx: Transaction, actor: Actor, orders: Sequence[Order]) -> list[Reserved | Declined]:
    """Reserve the maximum of each order in every budget that concerns it, in order, while all of them have room.

    The windows stay locked until the transaction ends. A declined order is an answer, not an error.
    """
    known = await prices_of(tx, actor, sources=[order.source for order in orders])
    wanted = [order for order in orders if order.source in known and not known[order.source].pause_reason]
    draws = await _draws(tx, actor, wanted)
    windows = await _locked(tx, actor, [each for drawn in draws.values() for each in drawn])
    answers: list[Reserved | Declined] = []
    new: list[NewPurchase] = []
    for order in orders:
        price = known.get(order.source)
        drawn = draws.get(order.id, ())
        declined = _unbudgeted(order, price, drawn)
        if declined is None and price is not None:
            keys = [(each.budget_id, each.key) for each in drawn]
            amount = price.micros * order.most_units
            declined = refusal(amount, [windows[key] for key in keys])
            if declined is None:
                answers.append(Reserved(order.id, price.micros))
                new.append(NewPurchase(order, price.micros, sorted(windows[key].id for key in keys)))
                for key in keys:
                    windows[key] = windows[key].after(books.deltas_of(books.reserve(amount)))
                continue
        answers.append(declined or Declined(NO_PRICE))
    if new:
        postings = [
            Posting(each.order.id, each.windows, books.reserve(each.price * each.order.most_units)) for each in new
        ]
        await store.post(tx, actor, postings, new)
    return answers


async def _draws(tx: Transaction, actor: Actor, orders: Sequence[Order]) -> dict[UUID, list[Applicable]]:
    """The windows that each order draws on, by order. Those that did not exist are opened."""
    if not orders:
        return {}
    found = await store.applicable(tx, actor.workspace_id, orders)
    draws = {order.id: [each for each in found if each.concerns(order)] for order in orders}
    used = {(each.budget_id, each.key): each for drawn in draws.values() for each in drawn}
    missing = sorted((each for each in used.values() if not each.exists), key=lambda each: (each.budget_id, each.key))
    if missing:
        await store.open_windows(tx, actor.workspace_id, missing)
    return draws


async def _locked(tx: Transaction, actor: Actor, drawn: Sequence[Applicable]) -> dict[tuple[UUID, str], Window]:
    return await store.lock_by_key(tx, actor.workspace_id, drawn) if drawn else {}


def _unbudgeted(order: Order, price: Price | None, drawn: Sequence[Applicable]) -> Declined | None:
    """The refusal of an order that does not depend on amounts."""
    if price is None:
        return Declined(NO_PRICE)
    if price.pause_reason:
        return Declined(price.pause_reason)
    scopes = {each.scope for each in drawn}
    if Scope.WORKSPACE not in scopes:
        return Declined(NO_BUDGET)
    if order.batch_id is not None and Scope.BATCH not in scopes:
        return Declined(NO_BATCH_BUDGET)
    return None


async def settle(tx: Transaction, actor: Actor, settlements: Sequence[Settlement]) -> list[ChargedPurchase]:
    """Settle purchases by what the provider charged. Those that are settled already are left out.

    More than the maximum is booked as an overrun, and pauses the source: its price or its maximum is wrong.
    """
    by_id = {each.purchase_id: each for each in settlements}
    found = await _locked_in(tx, actor, list(by_id), _OPEN)
    postings, changed, settled = [], [], []
    for purchase in found:
        wanted = by_id[purchase.id]
        charged = wanted.units * purchase.price
        end = PurchaseState.SETTLED if charged else PurchaseState.RELEASED
        reason = _overrun(purchase.most_units, wanted.units)
        postings.append(
            Posting(purchase.id, purchase.windows, books.settle(purchase.state, purchase.most, charged), reason)
        )
        changed.append(ChangedPurchase(purchase.id, end, wanted.units, charged, wanted.hit, reason))
        if reason:
            await pause(tx, actor, source=purchase.source, reason=reason)
        settled.append(ChargedPurchase(purchase.id, charged, reason))
    if found:
        await store.change_purchases(tx, actor.workspace_id, changed)
        for source in sorted({each.source for each in found}):
            await _judge(tx, actor, source)
        await store.post(tx, actor, postings)
    return settled


async def release(tx: Transaction, actor: Actor, purchase_ids: Sequence[UUID]) -> None:
    """Release purchases that cost nothing: the call was not made, or the provider says so."""
    found = await _locked_in(tx, actor, purchase_ids, _OPEN)
    changed = [ChangedPurchase(each.id, PurchaseState.RELEASED) for each in found]
    postings = [Posting(each.id, each.windows, books.settle(each.state, each.most, 0)) for each in found]
    await _book(tx, actor, changed, postings)


async def repeat(tx: Transaction, actor: Actor, purchase_id: UUID) -> Repeated:
    """Whether the lost call of a purchase may be made again now, at the same cost. Its windows stay locked."""
    locked = await store.lock_purchases(tx, actor.workspace_id, [purchase_id])
    if not locked or locked[0].state not in _OPEN:
        return Repeated(open=False)
    stopped = await store.stopped_windows(tx, actor.workspace_id, locked[0].windows)
    if stopped:
        return Repeated(open=True, declined=refusal(0, stopped))
    return Repeated(open=True)


async def hold(tx: Transaction, actor: Actor, purchase_ids: Sequence[UUID], *, sentence: str) -> None:
    """Hold the maximum of purchases whose answer was lost, so that their cost is not known."""
    found = await _locked_in(tx, actor, purchase_ids, [PurchaseState.RESERVED])
    changed = [ChangedPurchase(each.id, PurchaseState.IN_DOUBT, sentence=sentence) for each in found]
    postings = [Posting(each.id, each.windows, books.hold(each.most), sentence) for each in found]
    await _book(tx, actor, changed, postings)


async def write_off(tx: Transaction, actor: Actor, purchase_ids: Sequence[UUID], *, sentence: str) -> list[UUID]:
    """Count the maximum of purchases in doubt as spent. Returns the references of those that were in doubt."""
    found = await _locked_in(tx, actor, purchase_ids, [PurchaseState.IN_DOUBT])
    changed = [
        ChangedPurchase(each.id, PurchaseState.WRITTEN_OFF, each.most_units, each.most, sentence=sentence)
        for each in found
    ]
    postings = [Posting(each.id, each.windows, books.write_off(each.most), sentence) for each in found]
    await _book(tx, actor, changed, postings)
    return [each.reference for each in found]


async def _locked_in(
    tx: Transaction, actor: Actor, purchase_ids: Sequence[UUID], states: Collection[PurchaseState]
) -> list[StoredPurchase]:
    """Those of the purchases that are in one of the states, locked."""
    locked = await store.lock_purchases(tx, actor.workspace_id, purchase_ids)
    return [purchase for purchase in locked if purchase.state in states]


async def _book(tx: Transaction, actor: Actor, changed: Sequence[ChangedPurchase], postings: Sequence[Posting]) -> None:
    """Change locked purchases, and move their money. Nothing happens without any."""
    if changed:
        await store.change_purchases(tx, actor.workspace_id, changed)
        await store.post(tx, actor, postings)


async def _judge(tx: Transaction, actor: Actor, source: str) -> None:
    """Pause a source whose found answers cost more on average than the user wants to pay."""
    price = await price_of(tx, actor, source=source)
    if price is None or price.most_per_hit is None or price.pause_reason:
        return
    recent = await store.recent_answers(tx, actor.workspace_id, source, limit=HITS_JUDGED)
    if recent.answers >= HITS_JUDGED and recent.charged > price.most_per_hit * recent.hits:
        found = f"{recent.hits} of its last {recent.answers} answers had something"
        reason = f"It is paused: {found}, which is more per found answer than your limit."
        await pause(tx, actor, source=source, reason=reason)


async def pause(tx: Transaction, actor: Actor, *, source: str, reason: str) -> None:
    """Purchase nothing from a source until its price is set again."""
    if await settings_store.pause_source(tx, actor.workspace_id, source, reason):
        _log.warning("spending.source_paused", source=source, reason=reason)


def _overrun(most_units: int, units: int) -> str:
    if units <= most_units:
        return ""
    return f"It is paused: it charged {units} units for one call, and {most_units} at most were expected."
