"""What the audit log records of custom fields, and the job that types their values."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, Payload
from leadflood.kernel.queue.ports import Priority

FIELD: Final = "field"


class AuditAction(StrEnum):
    """What is done to custom fields. The names are stable: people filter and alert by them."""

    CREATED = "field.created"
    CHANGED = "field.changed"
    DELETED = "field.deleted"


class ConvertValues(Payload):
    """Which field, whose stored values are to become of its type."""

    field_id: UUID


CONVERT_VALUES = JobKind("fields.convert.v1", ConvertValues, max_attempts=5, priority=Priority.BULK)
"""Enqueued with a field that is new or gets another type. Values that do not fit stay as they are."""
