"""SQL that reads invitations."""

from uuid import UUID

from leadflood.domains.invitations.contracts import DeliveryView, InvitationView, InviterView
from leadflood.domains.invitations.errors import InvitationNotFound
from leadflood.domains.invitations.models import (
    DeliveryState,
    InvitationEmail,
    InvitationState,
    PendingInvitation,
    vouches,
)
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.pagination import Page, Position, page_by_id

_DELIVERY = {JobStatus.COMPLETED: DeliveryState.SENT, JobStatus.FAILED: DeliveryState.FAILED}


# Invitations that can still be accepted.
_PENDING = sql("""
SELECT i.id, i.email, i.role, i.invited_by, i.job_id, i.sends, i.created_at, i.last_sent_at, i.expires_at,
       u.name AS inviter, j.status AS job_status, j.last_error, i.expires_at <= now() AS expired
FROM invitations i
LEFT JOIN users u ON u.id = i.invited_by
LEFT JOIN job_executions j ON j.workspace_id = i.workspace_id AND j.id = i.job_id
WHERE i.workspace_id = :workspace_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND {condition}
""")

# A page of the pending invitations, newest first.
PENDING = assemble(_PENDING, condition=sql("(:after::uuid IS NULL OR i.id < :after) ORDER BY i.id DESC LIMIT :limit"))

# A pending invitation by id.
PENDING_BY_ID = assemble(_PENDING, condition=sql("i.id = :id"))

# The content of an invitation's email.
_INVITATION_EMAILS = sql("""
SELECT i.workspace_id, i.id, i.email, i.email_norm, i.role, i.sends, i.invited_by, i.expires_at, i.token_hash,
       w.name AS workspace, u.name AS inviter, u.disabled_at AS inviter_disabled_at, m.role AS inviter_role,
       EXISTS (SELECT FROM users known WHERE known.email_norm = i.email_norm) AS has_account
FROM invitations i
JOIN workspaces w ON w.id = i.workspace_id
LEFT JOIN memberships m ON m.workspace_id = i.workspace_id AND m.user_id = i.invited_by AND m.leaving_at IS NULL
LEFT JOIN users u ON u.id = m.user_id
WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() AND {condition}
""")

# An open invitation by id.
INVITATION_EMAIL = assemble(_INVITATION_EMAILS, condition=sql("i.workspace_id = :workspace_id AND i.id = :id"))

# An open invitation by its token.
INVITATION_EMAIL_BY_TOKEN = assemble(_INVITATION_EMAILS, condition=sql("i.token_hash = :token_hash"))

# The open invitations to an address.
INVITATION_EMAILS_TO = assemble(_INVITATION_EMAILS, condition=sql("i.email_norm = :email_norm ORDER BY i.id"))


async def list_invitations(
    tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int
) -> Page[InvitationView]:
    """The pending invitations of the workspace, newest first, expired ones included."""
    page = await page_by_id(tx, PENDING, {"workspace_id": actor.workspace_id}, after=after, limit=limit)
    return page.map(_view)


async def get_invitation(tx: Transaction, actor: Actor, *, invitation_id: UUID) -> InvitationView:
    """One pending invitation. Raises: InvitationNotFound."""
    row = await tx.first(PENDING_BY_ID, {"workspace_id": actor.workspace_id, "id": invitation_id})
    if row is None:
        raise InvitationNotFound
    return _view(row)


async def invitation_email_of(tx: Transaction, actor: Actor, *, invitation_id: UUID) -> InvitationEmail | None:
    """An open invitation, for its email."""
    return _invitation_email(
        await tx.first(INVITATION_EMAIL, {"workspace_id": actor.workspace_id, "id": invitation_id})
    )


async def invitation_email_by_token(tx: Transaction, token_hash: bytes) -> InvitationEmail:
    """The open invitation whose token has exactly this hash. Requires a system transaction.

    Raises: InvitationNotFound: also if its inviter can no longer invite with that role.
    """
    invitation_email = _invitation_email(await tx.first(INVITATION_EMAIL_BY_TOKEN, {"token_hash": token_hash}))
    if invitation_email is None:
        raise InvitationNotFound
    return invitation_email


async def invitation_emails_to(tx: Transaction, email: EmailAddress) -> list[InvitationEmail]:
    """The open invitations of all workspaces to this address. Requires a system transaction."""
    rows = await tx.all(INVITATION_EMAILS_TO, {"email_norm": email.norm})
    return [invitation_email for invitation_email in map(_invitation_email, rows) if invitation_email is not None]


def _invitation_email(row: Row | None) -> InvitationEmail | None:
    if row is None:
        return None
    role = Role(row.role)
    able = row.inviter_role is not None and row.inviter_disabled_at is None
    if row.invited_by is not None and not (able and vouches(Role(row.inviter_role), role)):
        return None
    return InvitationEmail(
        invitation=PendingInvitation(
            row.workspace_id, row.id, EmailAddress(row.email, row.email_norm), role, row.sends
        ),
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
