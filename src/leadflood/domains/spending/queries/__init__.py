"""SQL that reads settings, prices, budgets and purchases."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from leadflood.domains.spending.contracts import (
    BudgetView,
    BudgetWindowView,
    PricesView,
    PriceView,
    PurchaseView,
    SpendingSettingsView,
)
from leadflood.domains.spending.errors import BudgetNotFound, PriceNotFound, PurchaseNotFound
from leadflood.domains.spending.models import BudgetState, Period, Price, PurchaseState, Scope
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

# The settings of a workspace.
_SETTINGS = sql("SELECT currency, time_zone FROM spending_settings WHERE workspace_id = :workspace_id")

# Prices by source.
_PRICES = sql("""
SELECT p.source, p.price_micros, p.most_per_hit_micros, p.pause_reason, p.updated_at,
       coalesce(s.currency, 'EUR') AS currency
FROM source_prices p LEFT JOIN spending_settings s ON s.workspace_id = p.workspace_id
WHERE p.workspace_id = :workspace_id AND (:sources::text[] IS NULL OR p.source = ANY (:sources)) ORDER BY p.source
""")

_BUDGETS = sql_file("leadflood.domains.spending.sql", "budgets")
# A budget by ID.
BUDGET = assemble(_BUDGETS, condition=sql("b.id = :id"))
# A page of the budgets that apply to no single batch, or of those that do.
BUDGETS = assemble(
    _BUDGETS,
    condition=sql("""
(b.scope = 'batch') = :of_batches AND (:closed OR b.state <> 'closed') AND (:after::uuid IS NULL OR b.id > :after)
ORDER BY b.id LIMIT :limit
"""),
)
# The budgets of batches, the last one of each last.
OF_BATCHES = assemble(
    _BUDGETS, condition=sql("b.scope = 'batch' AND b.subject = ANY (:subjects::text[]) ORDER BY b.id")
)

# Purchases with the currency.
_PURCHASES = sql("""
SELECT p.id, p.source, p.state, p.reference, p.subject_id, p.batch_id, p.price_micros * p.most_units AS most,
       p.charged_micros, p.units, p.sentence, p.reserved_at, p.ended_at, coalesce(s.currency, 'EUR') AS currency
FROM purchases p LEFT JOIN spending_settings s ON s.workspace_id = p.workspace_id
WHERE p.workspace_id = :workspace_id AND {condition}
""")
# A purchase by ID.
PURCHASE = assemble(_PURCHASES, condition=sql("p.id = :id"))
# A page of purchases, newest first.
PURCHASES = assemble(
    _PURCHASES,
    condition=sql("""
(:state::text IS NULL OR p.state = :state) AND (:source::text IS NULL OR p.source = :source)
AND (:after::uuid IS NULL OR p.id < :after) ORDER BY p.id DESC LIMIT :limit
"""),
)

# Whether one of the budgets of the whole workspace is paused; null: there is none.
_WORKSPACE_PAUSED = sql("""
SELECT bool_or(state = 'paused') FROM budgets
WHERE workspace_id = :workspace_id AND scope = 'workspace' AND state <> 'closed'
""")

# Units in the books, and purchases of a source that have not ended.
_BOOKED = sql("""
SELECT coalesce(sum(units) FILTER (WHERE state IN ('settled', 'written_off')), 0)::bigint AS units,
       count(*) FILTER (WHERE state = 'reserved') AS reserved
FROM purchases WHERE workspace_id = :workspace_id AND source = ANY (:sources::text[])
""")

# Sources with a price, by workspace. Across workspaces.
_PRICED = sql(
    "SELECT workspace_id, array_agg(source ORDER BY source) AS sources FROM source_prices GROUP BY 1 ORDER BY 1"
)

# Those of the purchases that have not ended, with their maximum.
_OPEN = sql("""
SELECT id, most_units FROM purchases
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND state IN ('reserved', 'in_doubt')
""")


async def price_of(tx: Transaction, actor: Actor, *, source: str) -> Price | None:
    """The price of a source; None where none is set, so that nothing may be purchased from it."""
    return (await prices_of(tx, actor, sources=[source])).get(source)


async def prices_of(tx: Transaction, actor: Actor, *, sources: Iterable[str]) -> dict[str, Price]:
    """Prices by source; those without one are left out."""
    rows = await tx.all(_PRICES, {"workspace_id": actor.workspace_id, "sources": sorted(set(sources))})
    return {
        row.source: Price(row.source, row.price_micros, row.currency, row.most_per_hit_micros, row.pause_reason)
        for row in rows
    }


async def booked_units(tx: Transaction, actor: Actor, *, sources: Iterable[str]) -> tuple[int, int]:
    """Units that sources have charged by the books, and the number of their calls that are under way."""
    (row,) = await tx.all(_BOOKED, {"workspace_id": actor.workspace_id, "sources": sorted(sources)})
    return row.units, row.reserved


async def priced_sources(tx: Transaction) -> dict[UUID, list[str]]:
    """Sources with a price, by workspace. Requires a system transaction."""
    return {row.workspace_id: row.sources for row in await tx.all(_PRICED)}


async def open_purchases(tx: Transaction, actor: Actor, *, ids: Iterable[UUID]) -> dict[UUID, int]:
    """The maximum units of those of the purchases that have not ended, by ID."""
    rows = await tx.all(_OPEN, {"workspace_id": actor.workspace_id, "ids": list(ids)})
    return {row.id: row.most_units for row in rows}


async def get_settings(tx: Transaction, actor: Actor) -> SpendingSettingsView:
    """The settings, or the standard ones."""
    row = await tx.first(_SETTINGS, {"workspace_id": actor.workspace_id})
    if row is None:
        return SpendingSettingsView(currency="EUR", time_zone="UTC")
    return SpendingSettingsView(currency=row.currency, time_zone=row.time_zone)


async def get_price(tx: Transaction, actor: Actor, *, source: str) -> PriceView:
    """Raises: PriceNotFound."""
    row = await tx.first(_PRICES, {"workspace_id": actor.workspace_id, "sources": [source]})
    if row is None:
        raise PriceNotFound
    return _price(row)


async def list_prices(tx: Transaction, actor: Actor) -> PricesView:
    """All prices, by source."""
    rows = await tx.all(_PRICES, {"workspace_id": actor.workspace_id, "sources": None})
    return PricesView(items=[_price(row) for row in rows])


async def get_budget(tx: Transaction, actor: Actor, *, budget_id: UUID) -> BudgetView:
    """Raises: BudgetNotFound."""
    row = await tx.first(BUDGET, {"workspace_id": actor.workspace_id, "id": budget_id})
    if row is None:
        raise BudgetNotFound
    return _budget(row)


async def list_budgets(
    tx: Transaction,
    actor: Actor,
    *,
    of_batches: bool = False,
    closed: bool = False,
    after: Position | None = None,
    limit: int,
) -> Page[BudgetView]:
    """Budgets in the order of their creation. Args: of_batches: those of batches. closed: also closed ones."""
    sought = {"workspace_id": actor.workspace_id, "of_batches": of_batches, "closed": closed}
    return (await page_by_id(tx, BUDGETS, sought, after=after, limit=limit)).map(_budget)


async def workspace_budget_state(tx: Transaction, actor: Actor) -> BudgetState | None:
    """State of the budgets of the whole workspace: paused if one of them is; None if there is none."""
    paused = await tx.scalar(_WORKSPACE_PAUSED, {"workspace_id": actor.workspace_id})
    return None if paused is None else BudgetState.PAUSED if paused else BudgetState.OPEN


async def budgets_of_batches(tx: Transaction, actor: Actor, *, batch_ids: Sequence[UUID]) -> dict[UUID, BudgetView]:
    """The budgets of batches, by batch; those without one are left out."""
    subjects = [str(batch_id) for batch_id in batch_ids]
    rows = await tx.all(OF_BATCHES, {"workspace_id": actor.workspace_id, "subjects": subjects})
    return {UUID(row.subject): _budget(row) for row in rows}


async def get_purchase(tx: Transaction, actor: Actor, *, purchase_id: UUID) -> PurchaseView:
    """Raises: PurchaseNotFound."""
    row = await tx.first(PURCHASE, {"workspace_id": actor.workspace_id, "id": purchase_id})
    if row is None:
        raise PurchaseNotFound
    return _purchase(row)


async def list_purchases(
    tx: Transaction,
    actor: Actor,
    *,
    state: PurchaseState | None = None,
    source: str | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[PurchaseView]:
    """Purchases, newest first."""
    sought = {"workspace_id": actor.workspace_id, "state": state, "source": source}
    return (await page_by_id(tx, PURCHASES, sought, after=after, limit=limit)).map(_purchase)


def _price(row: Row) -> PriceView:
    return PriceView(
        source=row.source,
        price_micros=row.price_micros,
        most_per_hit_micros=row.most_per_hit_micros,
        currency=row.currency,
        pause_reason=row.pause_reason,
        updated_at=row.updated_at,
    )


def _budget(row: Row) -> BudgetView:
    window = None
    if row.scope != Scope.LEAD:
        used = (row.reserved_micros or 0) + (row.in_doubt_micros or 0) + (row.spent_micros or 0)
        window = BudgetWindowView(
            reserved_micros=row.reserved_micros or 0,
            in_doubt_micros=row.in_doubt_micros or 0,
            spent_micros=row.spent_micros or 0,
            left_micros=max(0, row.limit_micros - used),
            overrun_micros=max(0, used - row.limit_micros),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
    return BudgetView(
        id=row.id,
        scope=Scope(row.scope),
        subject=row.subject,
        period=Period(row.period),
        limit_micros=row.limit_micros,
        currency=row.currency,
        state=BudgetState(row.state),
        version=row.version,
        window=window,
        created_at=row.created_at,
    )


def _purchase(row: Row) -> PurchaseView:
    return PurchaseView(
        id=row.id,
        source=row.source,
        state=PurchaseState(row.state),
        reference=row.reference,
        subject_id=row.subject_id,
        batch_id=row.batch_id,
        most_micros=row.most,
        charged_micros=row.charged_micros,
        units=row.units,
        currency=row.currency,
        sentence=row.sentence,
        reserved_at=row.reserved_at,
        ended_at=row.ended_at,
    )
