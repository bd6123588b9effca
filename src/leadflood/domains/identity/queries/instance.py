"""Users who matter to the installation as a whole."""

from uuid import UUID

from sqlalchemy import text

from leadflood.kernel.db.database import Transaction

OPERATORS = text("SELECT id FROM users WHERE is_operator AND disabled_at IS NULL ORDER BY id")


async def operators(tx: Transaction) -> list[UUID]:
    """The instance operators who can sign in."""
    return [row.id for row in await tx.all(OPERATORS)]
