"""Audit actions and jobs of invitations."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority


class InvitationAuditAction(StrEnum):
    """A privileged change. The names are stable: people filter and alert by them."""

    SENT = "invitation.sent"
    RESENT = "invitation.resent"
    REVOKED = "invitation.revoked"
    ACCEPTED = "invitation.accepted"


AUDIT_SUBJECT: Final = "invitation"


class SendInvitation(Payload):
    """The email of an invitation: only the latest one is valid."""

    invitation_id: UUID
    sending: int


SEND_INVITATION = JobKind("invitations.send.v1", SendInvitation, max_attempts=12, outgoing=True)
"""Twelve attempts last longer than the greylisting of mail servers."""

PURGE_INVITATIONS = JobKind(
    "invitations.purge_expired.v1",
    NoPayload,
    max_attempts=3,
    priority=Priority.BULK,
    former_name="invitations.forget.v1",
)
"""Deletes invitations that ended long ago."""
