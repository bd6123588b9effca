"""SQL of the books: purchases, their transfers, and the windows that these add up in.

Locks are taken in one order: purchases by ID, then windows by ID.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from leadflood.domains.spending.models import (
    BookAccount,
    BudgetState,
    Order,
    Period,
    PurchaseState,
    Scope,
    TransferKind,
)
from leadflood.domains.spending.models.books import Move, Window
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

APPLICABLE = sql_file("leadflood.domains.spending.sql", "applicable")
OPEN_WINDOWS = sql_file("leadflood.domains.spending.sql", "open_windows")
POST = sql_file("leadflood.domains.spending.sql", "post")

# Windows by budget and key, locked.
LOCK_BY_KEY = sql("""
SELECT w.id, w.budget_id, w.key, b.scope, b.period, w.limit_micros, w.state, w.reserved_micros, w.in_doubt_micros,
       w.spent_micros, w.overrun_micros, w.ends_at
FROM budget_windows w JOIN budgets b ON b.workspace_id = w.workspace_id AND b.id = w.budget_id
WHERE w.workspace_id = :workspace_id
  AND (w.budget_id, w.key) IN (SELECT * FROM unnest(:budget_ids::uuid[], :keys::text[]))
ORDER BY w.id FOR UPDATE OF w
""")

# Windows by ID, locked in this order.
LOCK_WINDOWS = sql("""
SELECT id FROM budget_windows
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) ORDER BY id FOR UPDATE
""")

# Those of locked windows in which nothing may be purchased.
STOPPED = sql("""
SELECT w.id, b.scope, b.period, w.limit_micros, w.state, w.reserved_micros, w.in_doubt_micros, w.spent_micros,
       w.overrun_micros, w.ends_at
FROM budget_windows w JOIN budgets b ON b.workspace_id = w.workspace_id AND b.id = w.budget_id
WHERE w.workspace_id = :workspace_id AND w.id = ANY (:ids::uuid[]) AND w.state <> 'open' ORDER BY w.id
""")

# Purchases by ID, locked.
LOCK_PURCHASES = sql("""
SELECT id, source, state, price_micros, most_units, units, charged_micros, windows, reference FROM purchases
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) ORDER BY id FOR UPDATE
""")

# Change purchases.
CHANGE_PURCHASES = sql("""
UPDATE purchases p
SET state = n.state, units = n.units, charged_micros = n.charged, hit = coalesce(n.hit, p.hit),
    sentence = CASE WHEN n.sentence = '' THEN p.sentence ELSE n.sentence END,
    doubted_at = CASE WHEN n.state = 'in_doubt' THEN now() ELSE p.doubted_at END,
    ended_at = CASE WHEN n.state IN ('reserved', 'in_doubt') THEN NULL ELSE coalesce(p.ended_at, now()) END
FROM unnest(:ids::uuid[], :states::text[], :units::integer[], :charged::bigint[], :hits::boolean[], :sentences::text[])
     AS n (id, state, units, charged, hit, sentence)
WHERE p.workspace_id = :workspace_id AND p.id = ANY (:ids::uuid[]) AND p.id = n.id
""")

# The last answers of a source, what they cost, and how many had something.
RECENT = sql("""
SELECT count(*) AS answers, coalesce(sum(charged_micros), 0)::bigint AS charged, count(*) FILTER (WHERE hit) AS hits
FROM (SELECT charged_micros, hit FROM purchases
      WHERE workspace_id = :workspace_id AND source = :source AND ended_at IS NOT NULL AND hit IS NOT NULL
      ORDER BY ended_at DESC LIMIT :limit) AS recent
""")


@dataclass(frozen=True, slots=True)
class Applicable:
    """A window that purchases draw on. `subject`: as of `Budget`. `lead_id`: of a window for one lead or company."""

    budget_id: UUID
    key: str
    scope: Scope
    subject: str
    lead_id: UUID | None
    exists: bool

    def concerns(self, order: Order) -> bool:
        """Whether a purchase draws on it."""
        match self.scope:
            case Scope.SOURCE:
                return self.subject == order.source
            case Scope.BATCH:
                return order.batch_id is not None and self.subject == str(order.batch_id)
            case Scope.LEAD:
                return self.lead_id == order.subject_id
            case _:
                return True


@dataclass(frozen=True, slots=True)
class StoredPurchase:
    """A purchase, locked."""

    id: UUID
    source: str
    state: PurchaseState
    price: int
    most_units: int
    units: int
    charged: int
    windows: Sequence[UUID]
    reference: UUID

    @property
    def most(self) -> int:
        """Its maximum in micros."""
        return self.price * self.most_units


@dataclass(frozen=True, slots=True)
class NewPurchase:
    """A purchase to record, with the windows that it draws on."""

    order: Order
    price: int
    windows: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Posting:
    """Moves of the money of one purchase."""

    purchase_id: UUID
    windows: Sequence[UUID]
    moves: Sequence[Move]
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ChangedPurchase:
    """The state of a purchase after a change. `hit`: None keeps it."""

    id: UUID
    state: PurchaseState
    units: int = 0
    charged: int = 0
    hit: bool | None = None
    sentence: str = ""


@dataclass(slots=True)
class _Columns:
    """Transfers, entries and sums of postings, as arrays."""

    transfers: list[tuple[UUID, UUID, TransferKind, int, str]] = field(default_factory=list)
    entries: list[tuple[UUID, UUID, BookAccount, int]] = field(default_factory=list)
    deltas: dict[UUID, dict[BookAccount, int]] = field(default_factory=dict)

    def add(self, posting: Posting) -> None:
        """Add the moves of a posting, each in every window."""
        for move in posting.moves:
            transfer_id = new_id()
            self.transfers.append((transfer_id, posting.purchase_id, move.kind, move.amount, posting.sentence))
            for window_id in posting.windows:
                of_window = self.deltas.setdefault(window_id, {})
                for account, amount in move.entries:
                    self.entries.append((transfer_id, window_id, account, amount))
                    of_window[account] = of_window.get(account, 0) + amount

    def values(self) -> dict[str, Any]:
        """The parameters of the statement."""
        names = ("transfer_ids", "purchase_ids", "kinds", "amounts", "sentences")
        of_entries = ("entry_transfers", "entry_windows", "accounts", "entry_amounts")
        sums = list(self.deltas.values())
        return {
            **_columns(names, self.transfers),
            **_columns(of_entries, self.entries),
            "changed": list(self.deltas),
            "reserved": [each.get(BookAccount.RESERVED, 0) for each in sums],
            "in_doubt": [each.get(BookAccount.IN_DOUBT, 0) for each in sums],
            "spent": [each.get(BookAccount.SPENT, 0) + each.get(BookAccount.WRITTEN_OFF, 0) for each in sums],
        }


async def applicable(tx: Transaction, workspace_id: UUID, orders: Sequence[Order]) -> list[Applicable]:
    """The windows that orders may draw on. Nothing is locked."""
    values = {
        "workspace_id": workspace_id,
        "subject_ids": sorted({order.subject_id for order in orders}),
        "sources": sorted({order.source for order in orders}),
        "batches": sorted({str(order.batch_id) for order in orders if order.batch_id is not None}),
    }
    rows = await tx.all(APPLICABLE, values)
    return [
        Applicable(row.budget_id, row.key, Scope(row.scope), row.subject, row.lead_id, row.window_id is not None)
        for row in rows
    ]


async def open_windows(tx: Transaction, workspace_id: UUID, missing: Sequence[Applicable]) -> None:
    """Open windows that do not exist yet, with limit and state of their budget."""
    values = {
        "ids": [new_id() for _ in missing],
        "budget_ids": [each.budget_id for each in missing],
        "keys": [each.key for each in missing],
    }
    await tx.execute(OPEN_WINDOWS, {"workspace_id": workspace_id, **values})


async def lock_by_key(
    tx: Transaction, workspace_id: UUID, wanted: Sequence[Applicable]
) -> dict[tuple[UUID, str], Window]:
    """Windows by budget and key, locked for this transaction, as they are then."""
    values = {"budget_ids": [each.budget_id for each in wanted], "keys": [each.key for each in wanted]}
    rows = await tx.all(LOCK_BY_KEY, {"workspace_id": workspace_id, **values})
    return {(row.budget_id, row.key): _window(row) for row in rows}


async def lock_purchases(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID]) -> list[StoredPurchase]:
    """Purchases, locked for this transaction. Unknown ones are left out."""
    rows = await tx.all(LOCK_PURCHASES, {"workspace_id": workspace_id, "ids": list(ids)})
    return [
        StoredPurchase(
            row.id,
            row.source,
            PurchaseState(row.state),
            row.price_micros,
            row.most_units,
            row.units,
            row.charged_micros,
            row.windows,
            row.reference,
        )
        for row in rows
    ]


async def stopped_windows(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID]) -> list[Window]:
    """Those of the windows whose budget is paused or closed. All of them are locked."""
    await tx.execute(LOCK_WINDOWS, {"workspace_id": workspace_id, "ids": list(ids)})
    return [_window(row) for row in await tx.all(STOPPED, {"workspace_id": workspace_id, "ids": list(ids)})]


async def post(tx: Transaction, actor: Actor, postings: Sequence[Posting], new: Sequence[NewPurchase] = ()) -> None:
    """Record transfers, and new purchases, whose windows are locked. An overrun is possible where nothing is new.

    All purchases of a workspace wait for the same windows, so those of known ones are locked by this last step.

    Raises: leadflood.kernel.db.errors.IntegrityError: a window would pass its limit.
    """
    columns = _Columns()
    for posting in postings:
        columns.add(posting)
    orders = [each.order for each in new]
    values = {
        "ids": [order.id for order in orders],
        "references": [order.reference for order in orders],
        "sources": [order.source for order in orders],
        "prices": [each.price for each in new],
        "most_units": [order.most_units for order in orders],
        "windows": ["{" + ",".join(map(str, each.windows)) + "}" for each in new],
        "subject_ids": [order.subject_id for order in orders],
        "batch_ids": [order.batch_id for order in orders],
        "actor_ids": [order.actor_id for order in orders],
        "may_overrun": not new,
    }
    who = {"workspace_id": actor.workspace_id, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(POST, {**who, **values, **columns.values()})


async def change_purchases(tx: Transaction, workspace_id: UUID, changed: Sequence[ChangedPurchase]) -> int:
    """Change purchases, which are locked. Returns their number."""
    values = {
        "ids": [each.id for each in changed],
        "states": [each.state for each in changed],
        "units": [each.units for each in changed],
        "charged": [each.charged for each in changed],
        "hits": [each.hit for each in changed],
        "sentences": [each.sentence for each in changed],
    }
    return await tx.changed(CHANGE_PURCHASES, {"workspace_id": workspace_id, **values})


@dataclass(frozen=True, slots=True)
class RecentAnswers:
    """The last answers of a source: number, micros charged, and how many had something."""

    answers: int
    charged: int
    hits: int


async def recent_answers(tx: Transaction, workspace_id: UUID, source: str, *, limit: int) -> RecentAnswers:
    """The last answers of a source."""
    (row,) = await tx.all(RECENT, {"workspace_id": workspace_id, "source": source, "limit": limit})
    return RecentAnswers(row.answers, row.charged, row.hits)


def _window(row: Row) -> Window:
    return Window(
        row.id,
        Scope(row.scope),
        Period(row.period),
        row.limit_micros,
        BudgetState(row.state),
        row.reserved_micros,
        row.in_doubt_micros,
        row.spent_micros,
        row.overrun_micros,
        row.ends_at,
    )


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Mapping[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
