"""What changes of an address write into the audit log, and their job."""

from enum import StrEnum

from leadflood.domains.jobs.models import JobKind


class AuditAction(StrEnum):
    """A privileged change. The names are stable: people filter and alert by them."""

    REQUESTED = "user.email_change_requested"
    RESENT = "user.email_change_resent"
    CANCELLED = "user.email_change_cancelled"


SEND_EMAIL_CHANGE = JobKind("email_changes.send.v1", max_attempts=12)
"""Payload: `{"changeId": uuid, "sending": int, "to": "new" | "former"}`."""

FORGET_EMAIL_CHANGES = JobKind("email_changes.forget.v1", max_attempts=3)
"""Payload: `{}`. Deletes what has ended long ago."""
