"""SQL that writes the settings of enrichment."""

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Change the settings of a workspace.
SET = sql("""
INSERT INTO enrichment_settings AS s (workspace_id, paid_for_tier) VALUES (:workspace_id, :paid_for_tier)
ON CONFLICT (workspace_id) DO UPDATE SET paid_for_tier = excluded.paid_for_tier, updated_at = now()
""")


async def set_settings(tx: Transaction, actor: Actor, *, paid_for_tier: bool) -> None:
    """Change the settings of the workspace."""
    await tx.execute(SET, {"workspace_id": actor.workspace_id, "paid_for_tier": paid_for_tier})
