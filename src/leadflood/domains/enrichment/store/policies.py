"""SQL that writes the policies of found fields."""

from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.filling import FillPolicy
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Set the policy of a field.
SET = sql("""
INSERT INTO fill_policies AS p (workspace_id, subject_kind, field, fill_at, suggest)
VALUES (:workspace_id, :subject_kind, :field, :fill_at, :suggest)
ON CONFLICT (workspace_id, subject_kind, field) DO UPDATE
SET fill_at = excluded.fill_at, suggest = excluded.suggest, updated_at = now()
""")

# Give a field the standard policy.
RESET = sql("""
DELETE FROM fill_policies WHERE workspace_id = :workspace_id AND subject_kind = :subject_kind AND field = :field
""")


async def set_policy(tx: Transaction, actor: Actor, field: FactField, policy: FillPolicy) -> None:
    """Set the policy of a field."""
    values = {"fill_at": policy.fill_at, "suggest": policy.suggest}
    keys = {"workspace_id": actor.workspace_id, "subject_kind": field.subject, "field": field.name}
    await tx.execute(SET, {**keys, **values})


async def reset_policy(tx: Transaction, actor: Actor, field: FactField) -> None:
    """Give a field the standard policy."""
    keys = {"workspace_id": actor.workspace_id, "subject_kind": field.subject, "field": field.name}
    await tx.execute(RESET, keys)
