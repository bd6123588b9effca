"""Audit actions and jobs of imports."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority


class ImportPayload(Payload):
    """The import to process."""

    import_id: UUID


STAGE_IMPORT = JobKind("imports.stage.v1", ImportPayload, max_attempts=20)
"""Reads the file and previews the action of each row."""

COMMIT_IMPORT = JobKind("imports.commit.v1", ImportPayload, max_attempts=20)
"""Commits the preview; resumes after an earlier attempt."""

ENRICH_IMPORTED = JobKind("imports.enrich.v1", ImportPayload, max_attempts=20, priority=Priority.BULK)
"""Queues the enrichment of new leads, at most as many at a time as workers can process."""

UNRELATE_IMPORT = JobKind("imports.unrelate.v1", ImportPayload, max_attempts=20)
"""Removes the tags and lists that an undone import has added."""

PURGE_IMPORTS = JobKind(
    "imports.purge_expired.v1", NoPayload, max_attempts=3, priority=Priority.BULK, former_name="imports.forget.v1"
)
"""Deletes unfinished uploads, and files and rows of expired imports."""

AUDIT_SUBJECT: Final = "import"


class ImportCommittedData(EventData):
    """The changeset, and how many leads were created and updated."""

    changeset_id: UUID
    created: int
    updated: int


class ImportUndoneData(EventData):
    """The changeset."""

    changeset_id: UUID


IMPORT_COMMITTED = EventType(
    "import.committed.v1", AUDIT_SUBJECT, ImportCommittedData, "All rows of an import are written."
)
IMPORT_UNDONE = EventType("import.undone.v1", AUDIT_SUBJECT, ImportUndoneData, "An import was undone.")


class ImportAuditAction(StrEnum):
    """Audit actions of imports. The names are stable: people filter and alert by them."""

    UPLOADED = "import.uploaded"
    FORMAT_CHANGED = "import.format_changed"
    """The file was read in another format or encoding."""

    MAPPED = "import.mapped"
    PREVIEWED = "import.previewed"
    COMMITTED = "import.committed"
    FINISHED = "import.finished"
    """The commit is finished: number of created and updated leads."""

    PAUSED = "import.paused"
    CANCELLED = "import.cancelled"
    UNDONE = "import.undone"
    DELETED = "import.deleted"
