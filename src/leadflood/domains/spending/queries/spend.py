"""SQL that reads spending: transfers, and sums by source, day, batch and person."""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from leadflood.domains.identity import queries as identity
from leadflood.domains.spending.contracts import (
    AvoidedRow,
    SpendBy,
    SpendRow,
    SpendView,
    TransferEntryView,
    TransferView,
)
from leadflood.domains.spending.models import BookAccount, TransferKind
from leadflood.domains.spending.queries import get_settings
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import Sql, assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

MAX_DAYS: Final = 366
MAX_ROWS: Final = 1000
DEFAULT_DAYS: Final = 30
_NO_BATCH: Final = "Without a batch"
_NO_PERSON: Final = "Automatic"

TRANSFERS = sql_file("leadflood.domains.spending.sql", "transfers")
_SPEND = sql_file("leadflood.domains.spending.sql", "spend")
_DEAREST = sql("spent DESC, key")
SPEND: Mapping[SpendBy, Sql] = MappingProxyType(
    {
        SpendBy.SOURCE: assemble(_SPEND, key=sql("p.source"), sort=_DEAREST),
        SpendBy.DAY: assemble(_SPEND, key=sql("p.day::text"), sort=sql("key")),
        SpendBy.BATCH: assemble(_SPEND, key=sql("coalesce(p.batch_id::text, '')"), sort=_DEAREST),
        SpendBy.PERSON: assemble(_SPEND, key=sql("coalesce(p.actor_id::text, '')"), sort=_DEAREST),
    }
)

# Calls of a period that were not made, by source.
_AVOIDED = sql("""
SELECT source, count(*) AS calls, sum(amount_micros)::bigint AS amount_micros FROM avoided_calls
WHERE workspace_id = :workspace_id AND day BETWEEN :since AND :until
GROUP BY source ORDER BY amount_micros DESC, source LIMIT :limit
""")

# The present day of the workspace.
TODAY = sql("""
SELECT (now() AT TIME ZONE coalesce(
    (SELECT time_zone FROM spending_settings WHERE workspace_id = :workspace_id), 'UTC'))::date
""")


async def list_transfers(
    tx: Transaction, actor: Actor, *, purchase_id: UUID | None = None, after: Position | None = None, limit: int
) -> Page[TransferView]:
    """Transfers, newest first. Args: purchase_id: only those of this purchase."""
    sought = {"workspace_id": actor.workspace_id, "purchase_id": purchase_id}
    return (await page_by_id(tx, TRANSFERS, sought, after=after, limit=limit)).map(_transfer)


async def spend(
    tx: Transaction, actor: Actor, *, by: SpendBy, since: date | None = None, until: date | None = None
) -> SpendView:
    """Spending by group, the dearest first, or by day. The last 30 days, unless a period is given."""
    last = until or await tx.scalar(TODAY, {"workspace_id": actor.workspace_id})
    first = max(since or last - timedelta(days=DEFAULT_DAYS - 1), last - timedelta(days=MAX_DAYS - 1))
    values = {"workspace_id": actor.workspace_id, "since": first, "until": last, "limit": MAX_ROWS}
    rows = await tx.all(SPEND[by], values)
    avoided = [AvoidedRow(**dict(row)) for row in await tx.all(_AVOIDED, values)]
    labels = await _labels(tx, actor, by, [row.key for row in rows])
    return SpendView(
        by=by,
        since=first,
        until=last,
        currency=(await get_settings(tx, actor)).currency,
        spent_micros=sum(row.spent for row in rows),
        held_micros=sum(row.held for row in rows),
        avoided_micros=sum(row.amount_micros for row in avoided),
        avoided_calls=sum(row.calls for row in avoided),
        avoided=avoided,
        items=[
            SpendRow(
                key=row.key,
                label=labels.get(row.key, row.key),
                purchases=row.purchases,
                hits=row.hits,
                spent_micros=row.spent,
                held_micros=row.held,
            )
            for row in rows
        ],
    )


async def _labels(tx: Transaction, actor: Actor, by: SpendBy, keys: list[str]) -> dict[str, str]:
    """Names of persons; higher domains know those of batches."""
    if by is SpendBy.BATCH:
        return {"": _NO_BATCH}
    if by is not SpendBy.PERSON:
        return {}
    ids = {UUID(key) for key in keys if key}
    names = await identity.actor_names(tx, actor, ids)
    return {"": _NO_PERSON, **{str(user_id): name for user_id, name in names.items()}}


def _transfer(row: Row) -> TransferView:
    return TransferView(
        id=row.id,
        kind=TransferKind(row.kind),
        purchase_id=row.purchase_id,
        source=row.source,
        amount_micros=row.amount_micros,
        currency=row.currency,
        sentence=row.sentence,
        at=row.at,
        entries=[
            TransferEntryView(budget_id=budget_id, account=BookAccount(account), amount_micros=amount)
            for budget_id, account, amount in zip(row.budget_ids, row.accounts, row.amounts, strict=True)
        ],
    )
