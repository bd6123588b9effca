"""SQL that records calls which were not made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.spending.models import AvoidedCall
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Record calls with the day of the workspace, each only once in the time for which an answer would have been kept.
_INSERT = sql("""
INSERT INTO avoided_calls (workspace_id, id, source, amount_micros, units, subject_id, batch_id, reason, day,
                           counts_until)
SELECT :workspace_id, n.id, n.source, n.amount, n.units, n.subject_id, n.batch_id, n.reason,
       (now() AT TIME ZONE coalesce(
           (SELECT time_zone FROM spending_settings WHERE workspace_id = :workspace_id), 'UTC'))::date, n.until
FROM unnest(:ids::uuid[], :sources::text[], :amounts::bigint[], :units::integer[], :subject_ids::uuid[],
            :batch_ids::uuid[], :reasons::text[], :untils::timestamptz[])
     AS n (id, source, amount, units, subject_id, batch_id, reason, until)
WHERE NOT EXISTS (
    SELECT FROM avoided_calls a
    WHERE a.workspace_id = :workspace_id AND a.subject_id = n.subject_id AND a.source = n.source
      AND a.counts_until > now())
""")


@dataclass(frozen=True, slots=True)
class PricedCall:
    """A call with its price. `until`: as long as its answer would have been kept."""

    call: AvoidedCall
    amount: int
    until: datetime


async def insert(tx: Transaction, workspace_id: UUID, calls: Sequence[PricedCall]) -> None:
    """Record calls that were not made. Those that are recorded already, and still count, are left out."""
    values = {
        "ids": [new_id() for _ in calls],
        "sources": [each.call.source for each in calls],
        "amounts": [each.amount for each in calls],
        "units": [each.call.units for each in calls],
        "subject_ids": [each.call.subject_id for each in calls],
        "batch_ids": [each.call.batch_id for each in calls],
        "reasons": [each.call.reason for each in calls],
        "untils": [each.until for each in calls],
    }
    await tx.execute(_INSERT, {"workspace_id": workspace_id, **values})
