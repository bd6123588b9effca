"""The jobs that count."""

from leadflood.domains.jobs.models import JobKind

COUNT_FIGURES = JobKind("figures.count.v1", max_attempts=1)
"""Payload: `{}`. Counts what was not counted yet, and the last minutes again."""

RECOUNT_FIGURES = JobKind("figures.recount.v1", max_attempts=1)
"""Payload: `{}`. Counts the last hours again, for what was committed late, and how many leads there are."""
