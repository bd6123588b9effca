"""SQL that reads outcomes."""

from datetime import datetime
from uuid import UUID

from leadflood.domains.icps.contracts.outcomes import OutcomeView
from leadflood.domains.icps.errors import OutcomeNotFound
from leadflood.domains.icps.models.outcomes import OutcomeKind, OutcomeSource
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

# The next outcomes of a lead, the latest first.
_OF_LEAD = sql("""
SELECT id, lead_id, outcome, at, source, actor_kind, actor_id, recorded_at FROM icp_outcomes
WHERE workspace_id = :workspace_id AND lead_id = :lead_id
  AND (:after_id::uuid IS NULL OR (at, id) < (:after, :after_id))
ORDER BY at DESC, id DESC LIMIT :limit
""")

# The outcome that is recorded already.
_SAME = sql("""
SELECT id, lead_id, outcome, at, source, actor_kind, actor_id, recorded_at FROM icp_outcomes
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND outcome = :outcome AND at = :at
""")


async def list_outcomes(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[OutcomeView]:
    """The outcomes of a lead, the latest first. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return await outcomes_of(tx, actor, lead_id=lead_id, after=after, limit=limit)


async def outcomes_of(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[OutcomeView]:
    """As `list_outcomes`, for a lead that is known to exist."""
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "after": after.time if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    return cut(await tx.all(_OF_LEAD, values), limit, lambda row: Position.at(row.at, row.id)).map(_view)


async def same_outcome(
    tx: Transaction, actor: Actor, *, lead_id: UUID, outcome: OutcomeKind, at: datetime
) -> OutcomeView:
    """A recorded outcome. Raises: OutcomeNotFound."""
    values = {"workspace_id": actor.workspace_id, "lead_id": lead_id, "outcome": outcome, "at": at}
    row = await tx.first(_SAME, values)
    if row is None:
        raise OutcomeNotFound
    return _view(row)


def _view(row: Row) -> OutcomeView:
    return OutcomeView(
        id=row.id,
        lead_id=row.lead_id,
        outcome=OutcomeKind(row.outcome),
        at=row.at,
        source=OutcomeSource(row.source),
        recorded_by=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        recorded_at=row.recorded_at,
    )
