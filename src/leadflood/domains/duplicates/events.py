"""The jobs of duplicates."""

from leadflood.domains.jobs.models import JobKind

SCAN_DUPLICATES = JobKind("duplicates.scan.v1", max_attempts=20)
"""Payload: `{"scanId": uuid}`. Compares what changed since the last scan, going on where an earlier attempt ended."""

START_SCANS = JobKind("duplicates.start.v1", max_attempts=3)
"""Payload: `{}`. Has every workspace scanned in which leads changed since its last scan."""
