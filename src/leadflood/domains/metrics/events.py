"""The aggregation jobs."""

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.queue.ports import Priority

AGGREGATE_METRICS = JobKind("figures.count.v1", NoPayload, max_attempts=1)
"""Aggregates new activity, and the last minutes again."""

REBUILD_METRICS = JobKind("figures.recount.v1", NoPayload, max_attempts=1, priority=Priority.BULK)
"""Aggregates the last hours again, for late commits, and counts the leads."""
