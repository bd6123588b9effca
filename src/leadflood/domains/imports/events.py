"""The jobs that an import causes."""

from leadflood.domains.jobs.models import JobKind

STAGE_IMPORT = JobKind("imports.stage.v1", max_attempts=20)
"""Payload: `{"importId": uuid}`. Reads the file and finds out what each row would do."""

COMMIT_IMPORT = JobKind("imports.commit.v1", max_attempts=20)
"""Payload: `{"importId": uuid}`. Writes what the preview shows, going on where an earlier attempt ended."""

ENRICH_IMPORTED = JobKind("imports.enrich.v1", max_attempts=20)
"""Payload: `{"importId": uuid}`. Queues the enrichment of new leads, no more at a time than workers can take."""

FORGET_IMPORTS = JobKind("imports.forget.v1", max_attempts=3)
"""Payload: `{}`. Removes uploads that nobody finished, and files and rows of imports whose time is over."""
