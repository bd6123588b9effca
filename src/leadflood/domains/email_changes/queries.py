"""SQL that reads changes of an address. Needs system transactions."""

from uuid import UUID

from leadflood.domains.email_changes.contracts import EmailChangeView
from leadflood.domains.email_changes.models import PendingChange
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import AND, assemble, joined, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress

# Changes of addresses, each with its user.
_CHANGES = sql("""
SELECT c.id, c.user_id, c.email, c.email_norm, c.former_email, c.former_email_norm, c.sending, c.token_hash,
       c.last_sent_at, c.expires_at, j.last_error
FROM email_changes c
JOIN users u ON u.id = c.user_id
LEFT JOIN job_executions j ON j.workspace_id = c.job_workspace_id AND j.id = c.job_id
WHERE {condition}
""")
# A change dies with the password that confirmed the wish for it.
_OPEN = sql(
    "c.closed_at IS NULL AND c.expires_at > now() AND u.disabled_at IS NULL AND u.password_changed_at <= c.requested_at"
)

# A change by id, open or closed.
CHANGE = assemble(_CHANGES, condition=sql("c.id = :id"))

# An open change by id.
OPEN_CHANGE = assemble(_CHANGES, condition=joined(AND, [_OPEN, sql("c.id = :id")]))

# The open change of a person.
OPEN_CHANGE_OF = assemble(_CHANGES, condition=joined(AND, [_OPEN, sql("c.user_id = :user_id")]))

# An open change by its token.
OPEN_CHANGE_BY_TOKEN = assemble(_CHANGES, condition=joined(AND, [_OPEN, sql("c.token_hash = :token_hash")]))

# The open changes to an address.
OPEN_CHANGES_TO = assemble(_CHANGES, condition=joined(AND, [_OPEN, sql("c.email_norm = :email_norm ORDER BY c.id")]))


async def pending(tx: Transaction, user_id: UUID) -> PendingChange | None:
    """The person's change that can be confirmed, if there is one."""
    return _pending(await tx.first(OPEN_CHANGE_OF, {"user_id": user_id}))


async def change_by_id(tx: Transaction, change_id: UUID, *, open_only: bool) -> PendingChange | None:
    """A change, for its mail."""
    return _pending(await tx.first(OPEN_CHANGE if open_only else CHANGE, {"id": change_id}))


async def pending_by_token(tx: Transaction, token_hash: bytes) -> PendingChange | None:
    """The change that can be confirmed with the token of exactly this hash."""
    return _pending(await tx.first(OPEN_CHANGE_BY_TOKEN, {"token_hash": token_hash}))


async def pending_to(tx: Transaction, email: EmailAddress) -> list[PendingChange]:
    """The changes that this address can confirm now."""
    rows = await tx.all(OPEN_CHANGES_TO, {"email_norm": email.norm})
    return [change for change in map(_pending, rows) if change is not None]


async def view(tx: Transaction, user_id: UUID) -> EmailChangeView | None:
    """The user's pending change, or None."""
    row = await tx.first(OPEN_CHANGE_OF, {"user_id": user_id})
    if row is None:
        return None
    return EmailChangeView(
        email=row.email,
        former_email=row.former_email,
        last_sent_at=row.last_sent_at,
        expires_at=row.expires_at,
        last_error=row.last_error,
    )


def _pending(row: Row | None) -> PendingChange | None:
    if row is None:
        return None
    return PendingChange(
        id=row.id,
        user_id=row.user_id,
        email=EmailAddress(row.email, row.email_norm),
        former=EmailAddress(row.former_email, row.former_email_norm),
        sending=row.sending,
        token_hash=row.token_hash,
        expires_at=row.expires_at,
    )
