"""SQL that writes outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.icps.models.outcomes import OutcomeKind, OutcomeSource
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Add outcomes that are not recorded yet. In the order of leads, which the foreign key locks.
_INSERT = sql("""
INSERT INTO icp_outcomes (workspace_id, id, lead_id, outcome, at, source, actor_kind, actor_id)
SELECT :workspace_id, id, lead_id, outcome, at, :source, :actor_kind, :actor_id::uuid
FROM unnest(:ids::uuid[], :lead_ids::uuid[], :outcomes::text[], :times::timestamptz[])
     AS given (id, lead_id, outcome, at)
ORDER BY lead_id, at, outcome
ON CONFLICT (workspace_id, lead_id, outcome, at) DO NOTHING
RETURNING id
""")

# Delete an outcome of an active lead.
_DELETE = sql("""
DELETE FROM icp_outcomes o USING leads l
WHERE o.workspace_id = :workspace_id AND o.id = :outcome_id
  AND l.workspace_id = o.workspace_id AND l.id = o.lead_id AND l.deleted_at IS NULL
RETURNING o.lead_id, o.outcome
""")

# Move the outcomes of a lead to another one that does not have the same.
_MOVE_ALL = sql("""
UPDATE icp_outcomes o SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND lead_id = :from_lead
  AND NOT EXISTS (SELECT FROM icp_outcomes same
                  WHERE same.workspace_id = o.workspace_id AND same.lead_id = :to_lead::uuid
                    AND same.outcome = o.outcome AND same.at = o.at)
RETURNING id
""")

# Move outcomes back that one of the holders still has.
_MOVE_BACK = sql("""
UPDATE icp_outcomes o SET lead_id = :to_lead::uuid
WHERE workspace_id = :workspace_id AND id = ANY (:outcome_ids::uuid[]) AND lead_id = ANY (:holders::uuid[])
  AND NOT EXISTS (SELECT FROM icp_outcomes same
                  WHERE same.workspace_id = o.workspace_id AND same.lead_id = :to_lead::uuid
                    AND same.outcome = o.outcome AND same.at = o.at)
""")


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """An outcome to record."""

    lead_id: UUID
    outcome: OutcomeKind
    at: datetime


async def insert(
    tx: Transaction, actor: Actor, *, outcomes: Sequence[NewOutcome], source: OutcomeSource
) -> list[UUID | None]:
    """Add outcomes. Returns the ID of each; None for those that are recorded already."""
    ids = [new_id() for _ in outcomes]
    values = {
        "workspace_id": actor.workspace_id,
        "source": source,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "ids": ids,
        "lead_ids": [each.lead_id for each in outcomes],
        "outcomes": [each.outcome for each in outcomes],
        "times": [each.at for each in outcomes],
    }
    made = {row.id for row in await tx.all(_INSERT, values)} if outcomes else set()
    return [each if each in made else None for each in ids]


async def delete(tx: Transaction, workspace_id: UUID, outcome_id: UUID) -> Row | None:
    """Delete an outcome of an active lead. Returns its lead and kind."""
    return await tx.first(_DELETE, {"workspace_id": workspace_id, "outcome_id": outcome_id})


async def move_all(tx: Transaction, workspace_id: UUID, from_lead: UUID, to_lead: UUID) -> list[UUID]:
    """Move the outcomes of a lead. Those that the other one has as well stay. Returns the IDs of those moved."""
    values = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    return [row.id for row in await tx.all(_MOVE_ALL, values)]


async def move_back(
    tx: Transaction, workspace_id: UUID, outcome_ids: Sequence[UUID], *, holders: Sequence[UUID], to_lead: UUID
) -> None:
    """Move outcomes that one of the holders has."""
    values = {"outcome_ids": list(outcome_ids), "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_MOVE_BACK, {"workspace_id": workspace_id, **values})
