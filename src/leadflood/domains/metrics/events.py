"""The jobs that count."""

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.queue.ports import Priority

AGGREGATE_METRICS = JobKind("figures.count.v1", NoPayload, max_attempts=1)
"""Counts what was not counted yet, and the last minutes again."""

REBUILD_METRICS = JobKind("figures.recount.v1", NoPayload, max_attempts=1, priority=Priority.BULK)
"""Counts the last hours again, for what was committed late, and how many leads there are."""
