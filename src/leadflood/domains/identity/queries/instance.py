"""Data of the whole installation: all users and workspaces, operators, the public password."""

from dataclasses import dataclass, field
from uuid import UUID

from leadflood.domains.identity.contracts import UserSummary, WorkspaceView
from leadflood.domains.identity.models import DEMO_EMAIL, FIRST_OWNER_EMAIL
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.pagination import Page, Position, page_by_id

# The instance operators who can sign in.
OPERATORS = sql("SELECT id FROM users WHERE is_operator AND disabled_at IS NULL ORDER BY id")

# A page of all users, newest first.
USERS = sql("""
SELECT id, email, name, is_operator, disabled_at, created_at FROM users
WHERE :after::uuid IS NULL OR id < :after
ORDER BY id DESC LIMIT :limit
""")

# A page of all workspaces except the system's own, oldest first.
WORKSPACES = sql("""
SELECT id, name, created_at, updated_at FROM workspaces
WHERE id <> :system AND (:after::uuid IS NULL OR id > :after)
ORDER BY id LIMIT :limit
""")

# The users whose password may be the public one.
# The demo user, even with another email: its creation is in the system's audit log.
MAYBE_PUBLIC = sql("""
SELECT id, email, password_hash, coalesce(password_hash = public_password_hash, false) AS is_public
FROM users
WHERE disabled_at IS NULL AND (email_norm = :email OR public_password_hash IS NOT NULL OR id IN (
    SELECT subject_id FROM audit_events
    WHERE workspace_id = :system AND action = 'user.created' AND data ->> 'email' = :email))
ORDER BY id
""")

# Whether a user's password is the public one.
HAS_PUBLIC_PASSWORD = sql("SELECT true FROM users WHERE id = :id AND password_hash = public_password_hash")


# The email of the oldest active owner.
FIRST_OWNER = sql("""
SELECT u.email FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.role = 'owner' AND u.disabled_at IS NULL AND u.email_norm <> :placeholder
ORDER BY m.workspace_id, u.id LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class PublicPasswordCandidate:
    """A user who may have the public password. `is_public`: it is known to be."""

    id: UUID
    email: str
    password_hash: str = field(repr=False)
    is_public: bool


async def operators(tx: Transaction) -> list[UUID]:
    """The instance operators who can sign in."""
    return [row.id for row in await tx.all(OPERATORS)]


async def maybe_public(tx: Transaction) -> list[PublicPasswordCandidate]:
    """Users who can sign in, possibly with the demo user's public password. Requires a system transaction."""
    rows = await tx.all(MAYBE_PUBLIC, {"email": DEMO_EMAIL, "system": SYSTEM_WORKSPACE_ID})
    return [PublicPasswordCandidate(row.id, row.email, row.password_hash, row.is_public) for row in rows]


async def has_public_password(tx: Transaction, user_id: UUID) -> bool:
    """Whether the user's password is known to be the public one."""
    return await tx.scalar(HAS_PUBLIC_PASSWORD, {"id": user_id}) is not None


async def list_users(tx: Transaction, *, after: Position | None = None, limit: int) -> Page[UserSummary]:
    """All users of this installation, newest first, for the operator."""
    page = await page_by_id(tx, USERS, {}, after=after, limit=limit)
    return page.map(lambda row: UserSummary(**row))


async def list_workspaces(tx: Transaction, *, after: Position | None = None, limit: int) -> Page[WorkspaceView]:
    """All workspaces except the system's own, oldest first, for the operator. Requires a system transaction."""
    page = await page_by_id(tx, WORKSPACES, {"system": SYSTEM_WORKSPACE_ID}, after=after, limit=limit)
    return page.map(lambda row: WorkspaceView(**row))


async def first_workspace(tx: Transaction) -> UUID | None:
    """The oldest workspace except the system's own. Requires a system transaction."""
    page = await list_workspaces(tx, limit=1)
    return page.items[0].id if page.items else None


async def first_owner_email(tx: Transaction) -> str | None:
    """Email of the oldest active owner; None if no owner has set one yet. Requires a system transaction."""
    email: str | None = await tx.scalar(FIRST_OWNER, {"placeholder": FIRST_OWNER_EMAIL})
    return email
