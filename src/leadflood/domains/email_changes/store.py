"""SQL that writes email changes. Requires system transactions: a user can be in many workspaces."""

from uuid import UUID

from leadflood.domains.email_changes.models import MAILS_A_DAY, PAUSE_SECONDS, VALID_HOURS, PendingChange
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress

# Seconds until the user can have the next email sent. A change that was sent again counts once per email.
WAIT = sql("""
SELECT greatest(
    ceil(extract(epoch FROM max(last_sent_at) - now()) + :pause::integer),
    CASE WHEN sum(sending) >= :most THEN ceil(extract(epoch FROM min(last_sent_at) + interval '1 day' - now()))
         ELSE 0 END
)::integer
FROM email_changes WHERE user_id = :user_id AND last_sent_at > now() - interval '1 day'
""")

# Close a person's open changes.
CLOSE_ALL = sql("UPDATE email_changes SET closed_at = now() WHERE user_id = :user_id AND closed_at IS NULL")

# Store a new change.
INSERT = sql("""
INSERT INTO email_changes
    (user_id, id, email, email_norm, former_email, former_email_norm, token_hash, expires_at)
VALUES (:user_id, :id, :email, :email_norm, :former_email, :former_email_norm, :token_hash,
        now() + make_interval(hours => :hours))
""")

# Give an open change a new token, valid for the full period.
RENEW = sql("""
UPDATE email_changes SET
    token_hash = :token_hash, sending = sending + 1, last_sent_at = now(),
    expires_at = now() + make_interval(hours => :hours)
WHERE id = :id AND sending = :sending AND closed_at IS NULL
""")

# Record the job that sends the latest mail.
SET_JOB = sql("UPDATE email_changes SET job_id = :job_id, job_workspace_id = :workspace_id WHERE id = :id")

# Close an open change.
CLOSE = sql("UPDATE email_changes SET closed_at = now() WHERE id = :id AND closed_at IS NULL")

# Close an open change by its latest token, unless the user was disabled or changed the password since.
CONFIRM = sql("""
UPDATE email_changes c SET closed_at = now() FROM users u
WHERE c.id = :id AND c.token_hash = :token_hash AND c.closed_at IS NULL
  AND c.expires_at > now() AND u.id = c.user_id AND u.disabled_at IS NULL AND u.password_changed_at <= c.requested_at
""")

# Delete changes that ended long ago.
PURGE_EXPIRED = sql("""
DELETE FROM email_changes WHERE id IN (
    SELECT id FROM email_changes WHERE expires_at < now() - interval '30 days' LIMIT :limit)
""")


async def seconds_to_wait(tx: Transaction, user_id: UUID) -> int:
    """Seconds until the user can have another email sent; 0 or less if already possible."""
    sought = {"user_id": user_id, "pause": PAUSE_SECONDS, "most": MAILS_A_DAY}
    return int(await tx.scalar(WAIT, sought) or 0)


async def replace(
    tx: Transaction,
    user_id: UUID,
    *,
    change_id: UUID,
    email: EmailAddress,
    former: EmailAddress,
    token_hash: bytes,
) -> None:
    """Store a change by the hash of its token, replacing a pending one."""
    new = {"email": email.display, "email_norm": email.norm}
    old = {"former_email": former.display, "former_email_norm": former.norm}
    row = {"user_id": user_id, "id": change_id, "token_hash": token_hash, "hours": VALID_HOURS}
    await tx.execute(CLOSE_ALL, {"user_id": user_id})
    await tx.execute(INSERT, {**row, **new, **old})


async def renew(tx: Transaction, change: PendingChange, token_hash: bytes) -> bool:
    """Give a pending change a new token, valid for the full period; False if it was sent or closed meanwhile."""
    row = {"id": change.id, "sending": change.sending}
    return await tx.changed(RENEW, {**row, "token_hash": token_hash, "hours": VALID_HOURS}) == 1


async def set_job(tx: Transaction, change_id: UUID, workspace_id: UUID, job_id: UUID) -> None:
    """Record the job that sends the latest email."""
    await tx.execute(SET_JOB, {"id": change_id, "workspace_id": workspace_id, "job_id": job_id})


async def close(tx: Transaction, change: PendingChange) -> bool:
    """Cancel; False if it is no longer pending."""
    return await tx.changed(CLOSE, {"id": change.id}) == 1


async def confirm(tx: Transaction, change: PendingChange, token_hash: bytes) -> bool:
    """Close a change by its token; False if a newer token exists, it has expired, or the password changed since."""
    return await tx.changed(CONFIRM, {"id": change.id, "token_hash": token_hash}) == 1


async def purge_expired(tx: Transaction, limit: int) -> int:
    """Delete changes that ended long ago. Returns the number."""
    return await tx.changed(PURGE_EXPIRED, {"limit": limit})
