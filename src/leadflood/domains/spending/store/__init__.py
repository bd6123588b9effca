"""SQL that writes settings, prices and budgets."""

from uuid import UUID

from leadflood.domains.spending.models import Budget, BudgetState
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The settings of a workspace.
_SET_SETTINGS = sql("""
INSERT INTO spending_settings AS s (workspace_id, currency, time_zone)
VALUES (:workspace_id, coalesce(:currency, 'EUR'), coalesce(:time_zone, 'UTC'))
ON CONFLICT (workspace_id) DO UPDATE
SET currency = coalesce(:currency, s.currency), time_zone = coalesce(:time_zone, s.time_zone)
""")

# Whether anything has an amount in the present currency.
_CURRENCY_IN_USE = sql("""
SELECT EXISTS (SELECT FROM source_prices WHERE workspace_id = :workspace_id)
    OR EXISTS (SELECT FROM budgets WHERE workspace_id = :workspace_id)
    OR EXISTS (SELECT FROM purchases WHERE workspace_id = :workspace_id)
""")

# Set the price of a source, which ends its pause.
_SET_PRICE = sql("""
INSERT INTO source_prices AS p (workspace_id, source, price_micros, most_per_hit_micros)
VALUES (:workspace_id, :source, :price_micros, :most_per_hit_micros)
ON CONFLICT (workspace_id, source) DO UPDATE
SET price_micros = excluded.price_micros, most_per_hit_micros = excluded.most_per_hit_micros, pause_reason = '',
    updated_at = now()
""")

# Pause a source.
_PAUSE_SOURCE = sql("""
UPDATE source_prices SET pause_reason = :reason
WHERE workspace_id = :workspace_id AND source = :source AND pause_reason = ''
""")

# Remove the price of a source.
_REMOVE_PRICE = sql("DELETE FROM source_prices WHERE workspace_id = :workspace_id AND source = :source")

# Insert a budget.
_INSERT_BUDGET = sql("""
INSERT INTO budgets (workspace_id, id, scope, subject, period, limit_micros)
VALUES (:workspace_id, :id, :scope, :subject, :period, :limit_micros)
""")

# A budget, locked: its windows cannot be opened meanwhile.
_LOCK_BUDGET = sql("""
SELECT id, scope, subject, period, limit_micros, state, version FROM budgets
WHERE workspace_id = :workspace_id AND id = :id FOR UPDATE
""")

# The budget of a batch that is not closed, locked.
_LOCK_OF_BATCH = sql("""
SELECT id, scope, subject, period, limit_micros, state, version FROM budgets
WHERE workspace_id = :workspace_id AND scope = 'batch' AND subject = :subject AND state <> 'closed' FOR UPDATE
""")

# Change a budget.
_CHANGE_BUDGET = sql("""
UPDATE budgets SET limit_micros = :limit_micros, state = :state, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND version = :version
""")

# Change the windows of a budget that have not ended, in the order in which reservations lock them.
_CHANGE_WINDOWS = sql("""
WITH locked AS (
    SELECT id FROM budget_windows
    WHERE workspace_id = :workspace_id AND budget_id = :id AND (ends_at IS NULL OR ends_at > now())
    ORDER BY id FOR UPDATE
)
UPDATE budget_windows w
SET limit_micros = :limit_micros, state = :state,
    overrun_micros = greatest(0, w.reserved_micros + w.in_doubt_micros + w.spent_micros - :limit_micros)
FROM locked WHERE w.workspace_id = :workspace_id AND w.id = locked.id
""")


async def set_settings(tx: Transaction, workspace_id: UUID, *, currency: str | None, time_zone: str | None) -> None:
    """Change currency and time zone; None keeps one."""
    await tx.execute(_SET_SETTINGS, {"workspace_id": workspace_id, "currency": currency, "time_zone": time_zone})


async def currency_in_use(tx: Transaction, workspace_id: UUID) -> bool:
    """Whether anything has an amount in the present currency."""
    return bool(await tx.scalar(_CURRENCY_IN_USE, {"workspace_id": workspace_id}))


async def set_price(tx: Transaction, workspace_id: UUID, source: str, *, micros: int, most_per_hit: int | None) -> None:
    """Set the price of a source, which ends its pause."""
    values = {"source": source, "price_micros": micros, "most_per_hit_micros": most_per_hit}
    await tx.execute(_SET_PRICE, {"workspace_id": workspace_id, **values})


async def pause_source(tx: Transaction, workspace_id: UUID, source: str, reason: str) -> bool:
    """Purchase nothing from a source until its price is set again. False if that is so already."""
    return await tx.changed(_PAUSE_SOURCE, {"workspace_id": workspace_id, "source": source, "reason": reason}) == 1


async def remove_price(tx: Transaction, workspace_id: UUID, source: str) -> bool:
    """Remove the price of a source. False if it had none."""
    return await tx.changed(_REMOVE_PRICE, {"workspace_id": workspace_id, "source": source}) == 1


async def insert_budget(tx: Transaction, workspace_id: UUID, budget: Budget) -> None:
    """Insert an open budget. Raises: leadflood.kernel.db.errors.IntegrityError: there is one for the same."""
    values = {
        "id": budget.id,
        "scope": budget.scope,
        "subject": budget.subject,
        "period": budget.period,
        "limit_micros": budget.limit,
    }
    await tx.execute(_INSERT_BUDGET, {"workspace_id": workspace_id, **values})


async def lock_budget(tx: Transaction, workspace_id: UUID, budget_id: UUID) -> Row | None:
    """A budget in any state, locked: its windows cannot be opened meanwhile."""
    return await tx.first(_LOCK_BUDGET, {"workspace_id": workspace_id, "id": budget_id})


async def lock_of_batch(tx: Transaction, workspace_id: UUID, batch_id: UUID) -> Row | None:
    """The budget of a batch that is not closed, locked as above."""
    return await tx.first(_LOCK_OF_BATCH, {"workspace_id": workspace_id, "subject": str(batch_id)})


async def change_budget(
    tx: Transaction, workspace_id: UUID, budget_id: UUID, *, version: int, limit: int, state: BudgetState
) -> int:
    """Change a budget, which is locked, and its windows. Reservations under way end before. Returns changed budgets.

    A statement of their own looks the windows up: it sees those that were opened until the budget was locked.
    """
    values = {"workspace_id": workspace_id, "id": budget_id, "limit_micros": limit, "state": state}
    changed = await tx.changed(_CHANGE_BUDGET, {**values, "version": version})
    await tx.execute(_CHANGE_WINDOWS, values)
    return changed
