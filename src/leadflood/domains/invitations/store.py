"""SQL that writes invitations. The caller holds the lock on the workspace's members."""

from uuid import UUID

from leadflood.domains.invitations.models import PAUSE_SECONDS, PURGE_AFTER_DAYS, VALID_DAYS, PendingInvitation
from leadflood.kernel.actor import Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress

# Store a new invitation.
INSERT = sql("""
INSERT INTO invitations (workspace_id, id, email, email_norm, role, invited_by, token_hash, job_id, expires_at)
VALUES (:workspace_id, :id, :email, :email_norm, :role, :invited_by, :token_hash, :job_id,
        now() + make_interval(days => :days))
""")

# Give a pending invitation a new token and the full period.
RENEW = sql("""
UPDATE invitations
SET token_hash = :token_hash, job_id = :job_id, invited_by = :invited_by, sends = sends + 1, last_sent_at = now(),
    expires_at = now() + make_interval(days => :days)
WHERE workspace_id = :workspace_id AND id = :id AND sends = :sends AND accepted_at IS NULL AND revoked_at IS NULL
""")

# A pending invitation.
PENDING = sql("""
SELECT workspace_id, id, email, email_norm, role, sends FROM invitations
WHERE workspace_id = :workspace_id AND id = :id AND accepted_at IS NULL AND revoked_at IS NULL
""")

# Seconds until the workspace can send the next email to an address.
WAIT = sql("""
SELECT ceil(extract(epoch FROM max(last_sent_at) - now()) + :pause::integer)::integer FROM invitations
WHERE workspace_id = :workspace_id AND email_norm = :email_norm
""")

# Emails of the last 24 hours, and the seconds until the oldest no longer counts.
# An invitation that was sent again counts once per email.
MAILS = sql("""
SELECT coalesce(sum(sends), 0) AS sent,
       greatest(1, ceil(extract(epoch FROM min(last_sent_at) + interval '1 day' - now())))::integer AS wait
FROM invitations WHERE workspace_id = :workspace_id AND last_sent_at > now() - interval '1 day'
""")

# The number of open invitations to other addresses.
OTHERS_OPEN = sql("""
SELECT count(*) FROM invitations
WHERE workspace_id = :workspace_id AND email_norm <> :email_norm AND accepted_at IS NULL AND revoked_at IS NULL
  AND expires_at > now()
""")

# Revoke the pending invitation to an address.
REPLACE = sql("""
UPDATE invitations SET revoked_at = now()
WHERE workspace_id = :workspace_id AND email_norm = :email_norm AND accepted_at IS NULL AND revoked_at IS NULL
""")

# Revoke a pending invitation.
REVOKE = sql("""
UPDATE invitations SET revoked_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND accepted_at IS NULL AND revoked_at IS NULL
""")

# Accept an invitation by its latest token.
ACCEPT = sql("""
UPDATE invitations SET accepted_at = now()
WHERE workspace_id = :workspace_id AND id = :id AND token_hash = :token_hash AND accepted_at IS NULL
  AND revoked_at IS NULL AND expires_at > now()
""")

# Delete invitations that ended long ago.
PURGE_EXPIRED = sql("""
DELETE FROM invitations WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM invitations WHERE expires_at < now() - make_interval(days => :days) LIMIT :limit)
""")


async def insert(
    tx: Transaction,
    workspace_id: UUID,
    *,
    invitation_id: UUID,
    email: EmailAddress,
    role: Role,
    invited_by: UUID | None,
    token_hash: bytes,
    job_id: UUID,
) -> None:
    """Store an invitation by the hash of its token."""
    row = {"workspace_id": workspace_id, "id": invitation_id, "email": email.display, "email_norm": email.norm}
    sent = {"invited_by": invited_by, "token_hash": token_hash, "job_id": job_id, "days": VALID_DAYS}
    await tx.execute(INSERT, {**row, "role": role, **sent})


async def renew(
    tx: Transaction, invitation: PendingInvitation, *, invited_by: UUID | None, token_hash: bytes, job_id: UUID
) -> bool:
    """Give a pending invitation a new token and the full period; False if it was sent or ended meanwhile."""
    row = {"workspace_id": invitation.workspace_id, "id": invitation.id, "sends": invitation.sends}
    sent = {"invited_by": invited_by, "token_hash": token_hash, "job_id": job_id, "days": VALID_DAYS}
    return await tx.changed(RENEW, {**row, **sent}) == 1


async def pending(tx: Transaction, workspace_id: UUID, invitation_id: UUID) -> PendingInvitation | None:
    """An invitation that was neither accepted nor revoked."""
    row = await tx.first(PENDING, {"workspace_id": workspace_id, "id": invitation_id})
    return None if row is None else _pending_of(row)


async def seconds_to_wait(tx: Transaction, workspace_id: UUID, email: EmailAddress) -> int:
    """Seconds until the workspace can send to this address again; 0 or less: now."""
    sought = {"workspace_id": workspace_id, "email_norm": email.norm, "pause": PAUSE_SECONDS}
    return int(await tx.scalar(WAIT, sought) or 0)


async def mails_of_the_day(tx: Transaction, workspace_id: UUID) -> tuple[int, int]:
    """Number of emails that the workspace sent within 24 hours, and the seconds until the oldest no longer counts."""
    (row,) = await tx.all(MAILS, {"workspace_id": workspace_id})
    return int(row.sent), row.wait or 0


async def count_others(tx: Transaction, workspace_id: UUID, email: EmailAddress) -> int:
    """Number of open invitations to other addresses."""
    return int(await tx.scalar(OTHERS_OPEN, {"workspace_id": workspace_id, "email_norm": email.norm}))


async def replace(tx: Transaction, workspace_id: UUID, email: EmailAddress) -> None:
    """Revoke the pending invitation to this address."""
    await tx.execute(REPLACE, {"workspace_id": workspace_id, "email_norm": email.norm})


async def revoke(tx: Transaction, invitation: PendingInvitation) -> bool:
    """Revoke; False if it is no longer pending."""
    return await tx.changed(REVOKE, {"workspace_id": invitation.workspace_id, "id": invitation.id}) == 1


async def accept(tx: Transaction, invitation: PendingInvitation, token_hash: bytes) -> bool:
    """Accept an invitation by its token; False if a newer token exists, or it has expired."""
    row = {"workspace_id": invitation.workspace_id, "id": invitation.id, "token_hash": token_hash}
    return await tx.changed(ACCEPT, row) == 1


async def purge_expired(tx: Transaction, limit: int) -> int:
    """Delete invitations that ended long ago, over all workspaces. Needs a system transaction. Returns how many."""
    return await tx.changed(PURGE_EXPIRED, {"days": PURGE_AFTER_DAYS, "limit": limit})


def _pending_of(row: Row) -> PendingInvitation:
    """The invitation in a row."""
    email = EmailAddress(row.email, row.email_norm)
    return PendingInvitation(row.workspace_id, row.id, email, Role(row.role), row.sends)
