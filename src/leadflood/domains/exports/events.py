"""The jobs of exports, and what the audit log says of them."""

from enum import StrEnum

from leadflood.domains.jobs.models import JobKind

WRITE_EXPORT = JobKind("exports.write.v1", max_attempts=20)
"""Payload: `{"exportId": uuid}`. Writes the file, going on where an earlier attempt ended."""

FORGET_EXPORTS = JobKind("exports.forget.v1", max_attempts=3)
"""Payload: `{}`. Removes files whose time is over, or that somebody deleted."""


class AuditAction(StrEnum):
    """Customer data leaves: each way out is told."""

    STREAMED = "leads.exported"
    REQUESTED = "export.requested"
    DOWNLOADED = "export.downloaded"
    DELETED = "export.deleted"
