"""SQL that reads calls whose answer was lost."""

from leadflood.domains.spending.contracts import PurchaseView
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Whether the answer of a purchase was lost, and its question is not asked again.
IS_LOST = sql("""
SELECT EXISTS (SELECT FROM lookups
               WHERE workspace_id = :workspace_id AND id = :id AND purchase_id = :purchase_id
                 AND doubted_at IS NOT NULL AND (state = 'in_doubt' OR state = 'refused' AND expires_at > now()))
""")


async def is_lost(tx: Transaction, actor: Actor, *, purchase: PurchaseView) -> bool:
    """Whether the answer of a purchase was lost, and its question is not asked again by itself."""
    values = {"workspace_id": actor.workspace_id, "id": purchase.reference, "purchase_id": purchase.id}
    return bool(await tx.scalar(IS_LOST, values))
