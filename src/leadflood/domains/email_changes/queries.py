"""SQL that reads changes of an address. Needs system transactions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from leadflood.domains.email_changes.contracts import EmailChangeView
from leadflood.domains.email_changes.models import PendingChange
from leadflood.domains.email_changes.tables import email_changes
from leadflood.domains.identity.tables import users
from leadflood.domains.jobs.tables import job_executions
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress


async def pending(tx: Transaction, user_id: UUID) -> PendingChange | None:
    """The person's change that can be confirmed, if there is one."""
    return _pending(await tx.first(_open().where(email_changes.c.user_id == user_id)))


async def change_by_id(tx: Transaction, change_id: UUID, *, open_only: bool) -> PendingChange | None:
    """A change, for its mail."""
    query = _open() if open_only else select(email_changes)
    return _pending(await tx.first(query.where(email_changes.c.id == change_id)))


async def pending_by_token(tx: Transaction, token_hash: bytes) -> PendingChange | None:
    """The change that can be confirmed with the token of exactly this hash."""
    return _pending(await tx.first(_open().where(email_changes.c.token_hash == token_hash)))


async def pending_to(tx: Transaction, email: EmailAddress) -> list[PendingChange]:
    """The changes that this address can confirm now."""
    rows = await tx.all(_open().where(email_changes.c.email_norm == email.norm).order_by(email_changes.c.id))
    return [change for change in map(_pending, rows) if change is not None]


async def view(tx: Transaction, user_id: UUID) -> EmailChangeView | None:
    """What the person sees of the pending change, if there is one."""
    job = and_(
        job_executions.c.workspace_id == email_changes.c.job_workspace_id,
        job_executions.c.id == email_changes.c.job_id,
    )
    failed = _open().add_columns(job_executions.c.last_error).outerjoin(job_executions, job)
    row = await tx.first(failed.where(email_changes.c.user_id == user_id))
    if row is None:
        return None
    return EmailChangeView(
        email=row.email,
        former_email=row.former_email,
        last_sent_at=row.last_sent_at,
        expires_at=row.expires_at,
        last_error=row.last_error,
    )


def _open() -> Select[Any]:
    """A change dies with the password that confirmed the wish for it."""
    return (
        select(email_changes)
        .join(users, users.c.id == email_changes.c.user_id)
        .where(
            email_changes.c.closed_at.is_(None),
            email_changes.c.expires_at > func.now(),
            users.c.disabled_at.is_(None),
            users.c.password_changed_at <= email_changes.c.requested_at,
        )
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
