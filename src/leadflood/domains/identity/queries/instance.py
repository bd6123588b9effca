"""Users who matter to the installation as a whole."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.identity.models import DEMO_EMAIL
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID

OPERATORS = sql("SELECT id FROM users WHERE is_operator AND disabled_at IS NULL ORDER BY id")

# Whoever is or was the demo user, also under another address: the demo's creation is in the system's audit log.
MAYBE_PUBLIC = sql("""
SELECT id, email, password_hash, coalesce(password_hash = public_password_hash, false) AS is_public
FROM users
WHERE disabled_at IS NULL AND (email_norm = :email OR public_password_hash IS NOT NULL OR id IN (
    SELECT subject_id FROM audit_events
    WHERE workspace_id = :system AND action = 'user.created' AND data ->> 'email' = :email))
ORDER BY id
""")

HAS_PUBLIC_PASSWORD = sql("SELECT true FROM users WHERE id = :id AND password_hash = public_password_hash")


async def operators(tx: Transaction) -> list[UUID]:
    """The instance operators who can sign in."""
    return [row.id for row in await tx.all(OPERATORS)]


async def maybe_public(tx: Transaction) -> Sequence[Row]:
    """Users who can sign in, perhaps with the demo user's public password. Needs a system transaction."""
    return await tx.all(MAYBE_PUBLIC, {"email": DEMO_EMAIL, "system": SYSTEM_WORKSPACE_ID})


async def has_public_password(tx: Transaction, user_id: UUID) -> bool:
    """Whether the user's password is known to be the public one."""
    return await tx.scalar(HAS_PUBLIC_PASSWORD, {"id": user_id}) is not None
