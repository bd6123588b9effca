"""What invitations write into the audit log, and their jobs."""

from enum import StrEnum
from typing import Final

from leadflood.domains.jobs.models import JobKind


class AuditAction(StrEnum):
    """A privileged change. The names are stable: people filter and alert by them."""

    SENT = "invitation.sent"
    RESENT = "invitation.resent"
    REVOKED = "invitation.revoked"
    ACCEPTED = "invitation.accepted"


AUDIT_SUBJECT: Final = "invitation"

SEND_INVITATION = JobKind("invitations.send.v1", max_attempts=12, outgoing=True)
"""Payload: `{"invitationId": uuid, "sending": int}`. Twelve attempts last longer than a server's greylisting."""

FORGET_INVITATIONS = JobKind("invitations.forget.v1", max_attempts=3)
"""Payload: `{}`. Deletes what has ended long ago."""
