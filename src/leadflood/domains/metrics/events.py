"""The aggregation jobs."""

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.queue.ports import Priority

AGGREGATE_METRICS = JobKind("metrics.aggregate.v1", NoPayload, max_attempts=1, former_name="figures.count.v1")
"""Aggregates new activity, and the last minutes again."""

REBUILD_METRICS = JobKind(
    "metrics.rebuild.v1", NoPayload, max_attempts=1, priority=Priority.BULK, former_name="figures.recount.v1"
)
"""Aggregates the last hours again, for late commits, and counts the leads."""
