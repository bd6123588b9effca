"""SQL that reads invitations."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, select, tuple_

from leadflood.domains.identity.tables import memberships, users, workspaces
from leadflood.domains.invitations.contracts import DeliveryView, InvitationView, InviterView
from leadflood.domains.invitations.errors import InvitationNotFound
from leadflood.domains.invitations.models import (
    DeliveryState,
    InvitationState,
    Letter,
    Pending,
    vouches,
)
from leadflood.domains.invitations.tables import invitations
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.tables import job_executions
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.pagination import Page, Position, cut

_DELIVERY = {JobStatus.COMPLETED: DeliveryState.SENT, JobStatus.FAILED: DeliveryState.FAILED}


async def list_invitations(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[InvitationView]:
    """The pending invitations of the workspace, newest first, expired ones included."""
    query = _pending(actor)
    if after is not None:
        query = query.where(tuple_(invitations.c.id) < tuple_(after.id))
    rows = await tx.all(query.order_by(invitations.c.id.desc()).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id)).map(_view)


async def get_invitation(tx: Transaction, actor: Actor, *, invitation_id: UUID) -> InvitationView:
    """One pending invitation. Raises: InvitationNotFound."""
    row = await tx.first(_pending(actor).where(invitations.c.id == invitation_id))
    if row is None:
        raise InvitationNotFound
    return _view(row)


async def letter_of(tx: Transaction, actor: Actor, *, invitation_id: UUID) -> Letter | None:
    """An invitation that can be accepted now, for its mail."""
    query = _letters().where(invitations.c.workspace_id == actor.workspace_id, invitations.c.id == invitation_id)
    return _letter(await tx.first(query))


async def letter_by_token(tx: Transaction, token_hash: bytes) -> Letter:
    """The invitation that can be accepted now with the token of exactly this hash. Needs a system transaction.

    Raises: InvitationNotFound: also when whoever vouches for it may no longer let anybody in like that.
    """
    letter = _letter(await tx.first(_letters().where(invitations.c.token_hash == token_hash)))
    if letter is None:
        raise InvitationNotFound
    return letter


async def letters_to(tx: Transaction, email: EmailAddress) -> list[Letter]:
    """The invitations of all workspaces that this address can accept now. Needs a system transaction."""
    rows = await tx.all(_letters().where(invitations.c.email_norm == email.norm).order_by(invitations.c.id))
    return [letter for letter in map(_letter, rows) if letter is not None]


def _pending(actor: Actor) -> Select[Any]:
    job = and_(job_executions.c.workspace_id == invitations.c.workspace_id, job_executions.c.id == invitations.c.job_id)
    return (
        select(
            invitations,
            users.c.name.label("inviter"),
            job_executions.c.status.label("job_status"),
            job_executions.c.last_error,
            (invitations.c.expires_at <= func.now()).label("expired"),
        )
        .outerjoin(users, users.c.id == invitations.c.invited_by)
        .outerjoin(job_executions, job)
        .where(
            invitations.c.workspace_id == actor.workspace_id,
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
        )
    )


def _letters() -> Select[Any]:
    known = users.alias("known")
    inviter = and_(
        memberships.c.workspace_id == invitations.c.workspace_id,
        memberships.c.user_id == invitations.c.invited_by,
        memberships.c.leaving_at.is_(None),
    )
    return (
        select(
            invitations,
            workspaces.c.name.label("workspace"),
            users.c.name.label("inviter"),
            users.c.disabled_at.label("inviter_disabled_at"),
            memberships.c.role.label("inviter_role"),
            exists().where(known.c.email_norm == invitations.c.email_norm).label("has_account"),
        )
        .join(workspaces, workspaces.c.id == invitations.c.workspace_id)
        .outerjoin(memberships, inviter)
        .outerjoin(users, users.c.id == memberships.c.user_id)
        .where(
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at > func.now(),
        )
    )


def _letter(row: Row | None) -> Letter | None:
    if row is None:
        return None
    role = Role(row.role)
    able = row.inviter_role is not None and row.inviter_disabled_at is None
    if row.invited_by is not None and not (able and vouches(Role(row.inviter_role), role)):
        return None
    return Letter(
        invitation=Pending(row.workspace_id, row.id, EmailAddress(row.email, row.email_norm), role, row.sends),
        workspace=row.workspace,
        inviter=row.inviter,
        expires_at=row.expires_at,
        has_account=row.has_account,
        token_hash=row.token_hash,
    )


def _view(row: Row) -> InvitationView:
    inviter = None if row.inviter is None else InviterView(id=row.invited_by, name=row.inviter)
    state = _DELIVERY.get(row.job_status, DeliveryState.WAITING)
    return InvitationView(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        state=InvitationState.EXPIRED if row.expired else InvitationState.OPEN,
        invited_by=inviter,
        delivery=DeliveryView(
            state=state, job_id=row.job_id, last_error=None if state is DeliveryState.SENT else row.last_error
        ),
        sends=row.sends,
        created_at=row.created_at,
        last_sent_at=row.last_sent_at,
        expires_at=row.expires_at,
    )
