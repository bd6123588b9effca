"""Audit actions of custom fields, and the job that converts their values."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, Payload
from leadflood.kernel.queue.ports import Priority

FIELD: Final = "field"


class AuditAction(StrEnum):
    """Audit actions of custom fields. The names are stable: people filter and alert by them."""

    CREATED = "field.created"
    UPDATED = "field.updated"
    DELETED = "field.deleted"


class ConvertValues(Payload):
    """The field whose stored values are converted to its type."""

    field_id: UUID


CONVERT_VALUES = JobKind("fields.convert.v1", ConvertValues, max_attempts=5, priority=Priority.BULK)
"""Queued for a field that is new or has a new type. Values that do not fit stay as they are."""
