"""Audit actions and jobs of duplicates."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.queue.ports import Priority


class ScanPayload(Payload):
    """The scan to run."""

    scan_id: UUID


class MergeRunPayload(Payload):
    """The run to carry on."""

    run_id: UUID


SCAN_DUPLICATES = JobKind("duplicates.scan.v1", ScanPayload, max_attempts=20)
"""Compares leads changed since the last scan; resumes after an earlier attempt."""

START_SCANS = JobKind(
    "duplicates.schedule.v1", NoPayload, max_attempts=3, priority=Priority.BULK, former_name="duplicates.start.v1"
)
"""Starts a scan in each workspace in which leads changed since its last scan."""

MERGE_CERTAIN = JobKind("duplicates.merge.v1", MergeRunPayload, max_attempts=20)
"""Merges the pairs of a run one by one; resumes after an earlier attempt."""

UNDO_MERGE_RUN = JobKind("duplicates.unmerge.v1", MergeRunPayload, max_attempts=20)
"""Undoes the merges of a run one by one; resumes after an earlier attempt."""

DUPLICATE: Final = "duplicate"
MERGE: Final = "merge"
SCAN: Final = "scan"
MERGE_RUN: Final = "merge_run"


class DuplicateAuditAction(StrEnum):
    """Audit actions of duplicates. The names are stable: people filter and alert by them."""

    MERGED = "leads.merged"
    UNMERGED = "leads.unmerged"
    DISMISSED = "duplicate.dismissed"
    REOPENED = "duplicate.reopened"
    RUN_REQUESTED = "duplicates.merge_requested"
    RUN_UNDO_REQUESTED = "duplicates.unmerge_requested"
    SCAN_REQUESTED = "duplicates.scan_requested"
