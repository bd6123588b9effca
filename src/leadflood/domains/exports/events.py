"""Audit actions and jobs of exports."""

from enum import StrEnum
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority


class ExportPayload(Payload):
    """The export to write."""

    export_id: UUID


WRITE_EXPORT = JobKind("exports.write.v2", ExportPayload, max_attempts=20, former_name="exports.write.v1")
"""Writes the file; resumes after an earlier attempt.

Workers that run v1 know no selected leads: they would write all of them. They leave v2 to others.
"""

PURGE_EXPORTS = JobKind(
    "exports.purge_expired.v1", NoPayload, max_attempts=3, priority=Priority.BULK, former_name="exports.forget.v1"
)
"""Deletes files that have expired or were deleted by a user."""


class ExportAuditAction(StrEnum):
    """Customer data leaves the system: every export is audited."""

    STREAMED = "leads.exported"
    REQUESTED = "export.requested"
    DOWNLOADED = "export.downloaded"
    DELETED = "export.deleted"
