"""Verbs on settings, prices, budgets and purchases."""

from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.spending import queries, store
from leadflood.domains.spending.contracts import (
    BudgetView,
    ChangeBudget,
    ChangeSpendingSettings,
    CreateBudget,
    PriceView,
    PurchaseView,
    Refund,
    SetPrice,
    SpendingSettingsView,
)
from leadflood.domains.spending.errors import (
    BudgetClosed,
    BudgetNotFound,
    BudgetVersionConflict,
    CurrencyInUse,
    DuplicateBudget,
    PriceNotFound,
    PurchaseNotFound,
    PurchaseNotReady,
)
from leadflood.domains.spending.events import BUDGET, PRICE, PURCHASE, SETTINGS, SpendingAuditAction
from leadflood.domains.spending.models import Budget, BudgetState, Period, PurchaseState, Scope, books
from leadflood.domains.spending.permissions import SPENDING_WRITE
from leadflood.domains.spending.service import purchases
from leadflood.domains.spending.store import books as book_store
from leadflood.domains.spending.store.books import ChangedPurchase, Posting
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.ids import new_id

_WRITTEN_OFF = "Written off by hand."
_CHARGED = (PurchaseState.SETTLED, PurchaseState.WRITTEN_OFF)


async def change_settings(tx: Transaction, actor: Actor, *, command: ChangeSpendingSettings) -> SpendingSettingsView:
    """Change currency or time zone. Raises: CurrencyInUse."""
    actor.require(SPENDING_WRITE)
    before = await queries.get_settings(tx, actor)
    if command.currency not in (None, before.currency) and await store.currency_in_use(tx, actor.workspace_id):
        raise CurrencyInUse
    await store.set_settings(tx, actor.workspace_id, currency=command.currency, time_zone=command.time_zone)
    data: dict[str, JsonValue] = {"currency": command.currency, "timeZone": command.time_zone}
    await audit.record(tx, actor, action=SpendingAuditAction.SETTINGS_CHANGED, subject_type=SETTINGS, data=data)
    return await queries.get_settings(tx, actor)


async def set_price(tx: Transaction, actor: Actor, *, source: str, command: SetPrice) -> PriceView:
    """Set the price of a source. Purchases under way keep theirs."""
    actor.require(SPENDING_WRITE)
    await store.set_price(
        tx, actor.workspace_id, source, micros=command.price_micros, most_per_hit=command.most_per_hit_micros
    )
    data: dict[str, JsonValue] = {"source": source, "priceMicros": command.price_micros}
    await audit.record(tx, actor, action=SpendingAuditAction.PRICE_SET, subject_type=PRICE, data=data)
    return await queries.get_price(tx, actor, source=source)


async def remove_price(tx: Transaction, actor: Actor, *, source: str) -> None:
    """Remove the price of a source: nothing is purchased from it. Raises: PriceNotFound."""
    actor.require(SPENDING_WRITE)
    if not await store.remove_price(tx, actor.workspace_id, source):
        raise PriceNotFound
    data: dict[str, JsonValue] = {"source": source}
    await audit.record(tx, actor, action=SpendingAuditAction.PRICE_REMOVED, subject_type=PRICE, data=data)


async def create_budget(tx: Transaction, actor: Actor, *, command: CreateBudget) -> BudgetView:
    """Create an open budget. Raises: DuplicateBudget."""
    actor.require(SPENDING_WRITE)
    budget = Budget(new_id(), command.scope, command.subject or "", command.period, command.limit_micros)
    try:
        async with tx.savepoint():
            await store.insert_budget(tx, actor.workspace_id, budget)
    except IntegrityError as error:
        raise DuplicateBudget from error
    await _record_budget(tx, actor, SpendingAuditAction.BUDGET_CREATED, budget.id, budget.limit, BudgetState.OPEN)
    return await queries.get_budget(tx, actor, budget_id=budget.id)


async def change_budget(
    tx: Transaction, actor: Actor, *, budget_id: UUID, command: ChangeBudget, expected_version: int
) -> BudgetView:
    """Change limit or state of a budget. When it has committed, no call is purchased against what it was.

    A change without effect keeps the version. Raises: BudgetNotFound, BudgetVersionConflict, BudgetClosed.
    """
    actor.require(SPENDING_WRITE)
    stored = await store.lock_budget(tx, actor.workspace_id, budget_id)
    if stored is None:
        raise BudgetNotFound
    if stored.version != expected_version:
        raise BudgetVersionConflict(stored.version)
    limit = stored.limit_micros if command.limit_micros is None else command.limit_micros
    state = command.state or BudgetState(stored.state)
    if (limit, state) != (stored.limit_micros, stored.state):
        if stored.state == BudgetState.CLOSED:
            raise BudgetClosed
        expect_changed(
            await store.change_budget(
                tx, actor.workspace_id, budget_id, version=stored.version, limit=limit, state=state
            )
        )
        await _record_budget(tx, actor, SpendingAuditAction.BUDGET_CHANGED, budget_id, limit, state)
    return await queries.get_budget(tx, actor, budget_id=budget_id)


async def open_batch_budget(tx: Transaction, actor: Actor, *, batch_id: UUID, limit: int) -> None:
    """Give a new batch its budget, within those of the workspace."""
    await store.insert_budget(tx, actor.workspace_id, Budget(new_id(), Scope.BATCH, str(batch_id), Period.TOTAL, limit))


async def set_batch_state(tx: Transaction, actor: Actor, *, batch_id: UUID, state: BudgetState) -> None:
    """Pause, open or close the budget of a batch, if it has one: from the commit on, its next call is not purchased."""
    stored = await store.lock_of_batch(tx, actor.workspace_id, batch_id)
    if stored is not None and stored.state != state:
        expect_changed(
            await store.change_budget(
                tx, actor.workspace_id, stored.id, version=stored.version, limit=stored.limit_micros, state=state
            )
        )


async def refund(
    tx: Transaction, actor: Actor, *, purchase_id: UUID, command: Refund, expected_charged: int | None = None
) -> PurchaseView:
    """Book an amount that the provider returned.

    `expected_charged`: micros that were charged when the user decided, so that a form sent twice is booked once.

    Raises: PurchaseNotFound, PurchaseNotReady: more than was charged, or not as expected.
    """
    actor.require(SPENDING_WRITE)
    locked = await book_store.lock_purchases(tx, actor.workspace_id, [purchase_id])
    if not locked:
        raise PurchaseNotFound
    (purchase,) = locked
    if purchase.state not in _CHARGED or command.amount_micros > purchase.charged:
        raise PurchaseNotReady("The refund cannot exceed the amount charged.")
    if expected_charged not in (None, purchase.charged):
        raise PurchaseNotReady("The purchase has changed. Check what is left of the charge.")
    left = purchase.charged - command.amount_micros
    await book_store.change_purchases(
        tx, actor.workspace_id, [ChangedPurchase(purchase.id, purchase.state, purchase.units, left)]
    )
    moves = books.refund(purchase.state, command.amount_micros)
    await book_store.post(tx, actor, [Posting(purchase.id, purchase.windows, moves, command.sentence or "")])
    data: dict[str, JsonValue] = {"count": 1, "amountMicros": command.amount_micros}
    await audit.record(
        tx,
        actor,
        action=SpendingAuditAction.PURCHASE_REFUNDED,
        subject_type=PURCHASE,
        subject_id=purchase_id,
        data=data,
    )
    return await queries.get_purchase(tx, actor, purchase_id=purchase_id)


async def write_off_purchase(tx: Transaction, actor: Actor, *, purchase_id: UUID) -> PurchaseView:
    """Count the maximum of a purchase in doubt as spent. Raises: PurchaseNotFound, PurchaseNotReady."""
    actor.require(SPENDING_WRITE)
    if not await purchases.write_off(tx, actor, [purchase_id], sentence=_WRITTEN_OFF):
        await queries.get_purchase(tx, actor, purchase_id=purchase_id)
        raise PurchaseNotReady("Only a purchase in doubt can be written off.")
    await audit.record(
        tx,
        actor,
        action=SpendingAuditAction.PURCHASE_WRITTEN_OFF,
        subject_type=PURCHASE,
        subject_id=purchase_id,
        data={"count": 1},
    )
    return await queries.get_purchase(tx, actor, purchase_id=purchase_id)


async def _record_budget(
    tx: Transaction, actor: Actor, action: SpendingAuditAction, budget_id: UUID, limit: int, state: BudgetState
) -> None:
    data: dict[str, JsonValue] = {"limitMicros": limit, "state": state}
    await audit.record(tx, actor, action=action, subject_type=BUDGET, subject_id=budget_id, data=data)
