"""Audit actions and the job of email changes."""

from enum import StrEnum
from uuid import UUID

from leadflood.domains.email_changes.models import Recipient
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority


class EmailChangeAuditAction(StrEnum):
    """A privileged change. The names are stable: people filter and alert by them."""

    REQUESTED = "user.email_change_requested"
    RESENT = "user.email_change_resent"
    CANCELLED = "user.email_change_cancelled"


class SendEmailChange(Payload):
    """The email to send: `sending` counts emails with a link, and only the latest link is valid."""

    change_id: UUID
    sending: int
    to: Recipient


SEND_EMAIL_CHANGE = JobKind("email_changes.send.v1", SendEmailChange, max_attempts=12)
"""Sends the email with the link to the new address, or the notice to the previous one."""

PURGE_EMAIL_CHANGES = JobKind(
    "email_changes.purge_expired.v1",
    NoPayload,
    max_attempts=3,
    priority=Priority.BULK,
    former_name="email_changes.forget.v1",
)
"""Deletes changes that ended long ago."""
