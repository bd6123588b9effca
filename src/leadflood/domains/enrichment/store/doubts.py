"""SQL of calls whose answer was lost: which there are, and how they end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.doubts import UsageReading
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed

_MAX: Final = 1000

# Calls in doubt, and those whose time is over without an answer, by workspace. Across workspaces.
FOUND = sql("""
SELECT workspace_id, array_agg(id ORDER BY id) AS ids FROM (
    SELECT workspace_id, id FROM lookups
    WHERE purchase_id IS NOT NULL AND (state = 'in_doubt' OR (state = 'asked' AND claimed_until <= now())
        OR (state = 'waiting' AND claimed_until IS NULL AND expires_at <= now()))
    ORDER BY workspace_id, id LIMIT :limit
) AS found GROUP BY workspace_id
""")

# Some of these calls, locked.
LOCK = sql("""
SELECT id, source, state, purchase_id, units, doubted_at, doubted_at <= now() - :kept::interval AS old FROM lookups
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND purchase_id IS NOT NULL
  AND (state = 'in_doubt' OR (state = 'asked' AND claimed_until <= now())
       OR (state = 'waiting' AND claimed_until IS NULL AND expires_at <= now()))
ORDER BY id FOR UPDATE
""")

# The calls of a source that are in doubt.
IN_DOUBT = sql("""
SELECT id FROM lookups
WHERE workspace_id = :workspace_id AND source = :source AND state = 'in_doubt' AND purchase_id IS NOT NULL ORDER BY id
""")

# The call is over without its answer.
END = sql("""
UPDATE lookups
SET state = 'refused', claim = NULL, claimed_until = NULL, answered_at = now(), ticket = NULL, ticket_at = NULL,
    expires_at = now() + :kept::interval, sentence = :sentence
WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND state IN ('asked', 'in_doubt', 'waiting')
""")

# The call was not charged: its question may be asked again.
FREE = sql("""
DELETE FROM lookups WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND state IN ('asked', 'in_doubt')
""")

# A call whose answer was lost, and whose question is not asked again, locked.
LOCK_LOST = sql("""
SELECT id FROM lookups
WHERE workspace_id = :workspace_id AND id = :id AND purchase_id = :purchase_id AND doubted_at IS NOT NULL
  AND (state = 'in_doubt' OR state = 'refused' AND expires_at > now()) FOR UPDATE
""")

# Its question may be asked again. A later answer to the lost call is not stored.
ASK_AGAIN = sql("""
UPDATE lookups
SET state = 'refused', claim = NULL, claimed_until = NULL, answered_at = coalesce(answered_at, now()),
    expires_at = now(), sentence = :sentence
WHERE workspace_id = :workspace_id AND id = :id AND state IN ('in_doubt', 'refused')
""")

# The last reading of a provider's counter.
READING = sql(
    "SELECT counted, booked, others FROM usage_readings WHERE workspace_id = :workspace_id AND source = :source"
)

# Store a reading.
STORE_READING = sql("""
INSERT INTO usage_readings AS r (workspace_id, source, counted, booked, others)
VALUES (:workspace_id, :source, :counted, :booked, :others)
ON CONFLICT (workspace_id, source) DO UPDATE
SET counted = excluded.counted, booked = excluded.booked, others = excluded.others, read_at = now()
""")


@dataclass(frozen=True, slots=True)
class LostCall:
    """A call without an answer, locked. `old`: whether it was lost a day ago. `units`: charged for its ticket."""

    id: UUID
    source: str
    state: str
    purchase_id: UUID
    units: int
    doubted_at: datetime | None
    old: bool


async def found(tx: Transaction) -> Mapping[UUID, Sequence[UUID]]:
    """Lookups of calls in doubt, or whose time is over, by workspace. Requires a system transaction."""
    return {row.workspace_id: row.ids for row in await tx.all(FOUND, {"limit": _MAX})}


async def lock(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID], *, kept: timedelta) -> list[LostCall]:
    """Those of the calls that are still so, locked. Args: kept: time after which one is old."""
    rows = await tx.all(LOCK, {"workspace_id": workspace_id, "ids": list(ids), "kept": kept})
    return [
        LostCall(row.id, row.source, row.state, row.purchase_id, row.units, row.doubted_at, bool(row.old))
        for row in rows
    ]


async def in_doubt(tx: Transaction, workspace_id: UUID, source: str) -> list[UUID]:
    """Lookups of the calls of a source that are in doubt."""
    return [row.id for row in await tx.all(IN_DOUBT, {"workspace_id": workspace_id, "source": source})]


async def give_up(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID], *, kept: timedelta, sentence: str) -> None:
    """End calls without their answer. They are not asked again for a time."""
    values = {"workspace_id": workspace_id, "ids": list(ids), "kept": kept, "sentence": sentence}
    await tx.execute(END, values)


async def free(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """Remove calls that were not charged: their questions may be asked again."""
    await tx.execute(FREE, {"workspace_id": workspace_id, "ids": list(ids)})


async def lock_lost(tx: Transaction, workspace_id: UUID, *, lookup_id: UUID, purchase_id: UUID) -> bool:
    """Whether the answer of a purchase was lost, and its question is not asked again. Its lookup is locked then."""
    values = {"workspace_id": workspace_id, "id": lookup_id, "purchase_id": purchase_id}
    return await tx.first(LOCK_LOST, values) is not None


async def ask_again(tx: Transaction, workspace_id: UUID, *, lookup_id: UUID, sentence: str) -> None:
    """Let the question of a lost call, which is locked, be asked again."""
    values = {"workspace_id": workspace_id, "id": lookup_id, "sentence": sentence}
    expect_changed(await tx.changed(ASK_AGAIN, values))


async def reading(tx: Transaction, workspace_id: UUID, source: str) -> UsageReading | None:
    """The last reading of a provider's counter."""
    row = await tx.first(READING, {"workspace_id": workspace_id, "source": source})
    return None if row is None else UsageReading(row.counted, row.booked, row.others)


async def store_reading(tx: Transaction, workspace_id: UUID, source: str, reading: UsageReading) -> None:
    """Replace the reading of a provider's counter."""
    values = {
        "source": source,
        "counted": reading.counted,
        "booked": reading.booked,
        "others": reading.others,
    }
    await tx.execute(STORE_READING, {"workspace_id": workspace_id, **values})
