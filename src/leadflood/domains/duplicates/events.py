"""The jobs of duplicates, and what the audit log says of them."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority


class ScanPayload(Payload):
    """Which scan."""

    scan_id: UUID


SCAN_DUPLICATES = JobKind("duplicates.scan.v1", ScanPayload, max_attempts=20)
"""Compares what changed since the last scan, going on where an earlier attempt ended."""

START_SCANS = JobKind("duplicates.start.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Has every workspace scanned in which leads changed since its last scan."""

DUPLICATE: Final = "duplicate"
MERGE: Final = "merge"
SCAN: Final = "scan"


class DuplicateAuditAction(StrEnum):
    """What people do about duplicates. The names are stable: people filter and alert by them."""

    MERGED = "leads.merged"
    UNMERGED = "leads.unmerged"
    DISMISSED = "duplicate.dismissed"
    REOPENED = "duplicate.reopened"
    SCAN_REQUESTED = "duplicates.scan_requested"
