"""State of the first owner: whether that account was ever used."""

from uuid import UUID

from leadflood.domains.identity.contracts import MembershipView
from leadflood.domains.identity.models import Account
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The first owner, who has not signed in yet, and the workspace.
# The owner that the first start created, as long as its password was neither used nor changed.
UNTOUCHED_OWNER = sql("""
SELECT u.id, u.email, u.email_norm, u.name, u.password_hash, w.id AS workspace_id, w.name AS workspace_name
FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
WHERE u.email_norm = :email_norm AND u.disabled_at IS NULL AND u.password_changed_at = u.created_at
  AND m.role = 'owner' AND NOT EXISTS (
    SELECT FROM audit_events e JOIN memberships j ON j.workspace_id = e.workspace_id
    WHERE j.user_id = u.id AND e.actor_id = u.id AND e.action = 'session.started')
ORDER BY w.created_at, w.id LIMIT 1
""")

# Whether a user has ever signed in to a workspace.
IN_USE = sql("""
SELECT true FROM audit_events WHERE workspace_id = :workspace_id AND action = 'session.started' LIMIT 1
""")


async def is_in_use(tx: Transaction, workspace_id: UUID) -> bool:
    """Whether a user has ever signed in to the workspace."""
    return await tx.scalar(IN_USE, {"workspace_id": workspace_id}) is not None


async def untouched_owner(tx: Transaction, email_norm: str) -> tuple[Account, MembershipView] | None:
    """An owner with this email who never signed in or changed the password. Requires a system transaction."""
    row = await tx.first(UNTOUCHED_OWNER, {"email_norm": email_norm})
    if row is None:
        return None
    account = Account(row.id, row.email, row.email_norm, row.name, row.password_hash, disabled=False)
    return account, MembershipView(id=row.workspace_id, name=row.workspace_name, role=Role.OWNER)
