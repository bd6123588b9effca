"""Events of leads: domain events, entries of timelines and of the audit log; and the jobs of leads."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.domains.leads.models import ChangesetKind
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority


class LeadEventKind(StrEnum):
    """Kinds of entries in a lead's timeline. The values are stored: they never change their meaning."""

    CREATED = "lead.created"
    CHANGED = "lead.changed"
    DELETED = "lead.deleted"
    RESTORED = "lead.restored"
    MERGED = "lead.merged"
    """Another lead was merged into this one."""

    MERGED_INTO = "lead.merged_into"
    UNMERGED = "lead.unmerged"
    """A lead that was merged into this one is a separate lead again."""

    ENRICHMENT_REQUESTED = "enrichment.requested"
    ENRICHMENT_STARTED = "enrichment.started"
    ENRICHMENT_COMPLETED = "enrichment.completed"
    ENRICHMENT_FAILED = "enrichment.failed"


LEAD: Final = "lead"
CHANGESET: Final = "changeset"
VIEW: Final = "view"


class LeadAuditAction(StrEnum):
    """Audit actions of leads and saved views. The names are stable: people filter and alert by them."""

    UPDATED = "leads.updated"
    DELETED = "leads.deleted"
    RESTORED = "leads.restored"
    ENRICHMENT_REQUESTED = "leads.enrichment_requested"
    CHANGE_FINISHED = "changeset.finished"
    """A job has applied a change, or failed: number of changed leads."""

    UNDONE = "changeset.undone"
    UNDO_FINISHED = "changeset.undo_finished"
    PERSONAL_DATA_EXPORTED = "person.exported"
    ERASED = "person.erased"
    """A person was erased: the leads, and the number of rows. Nothing in it names the person."""

    VIEW_CREATED = "view.created"
    VIEW_UPDATED = "view.updated"
    VIEW_DELETED = "view.deleted"
    VIEW_RESTORED = "view.restored"
    DEFAULT_VIEW_SET = "view.made_default"
    DEFAULT_VIEW_CLEARED = "view.default_cleared"


class ChangesetPayload(Payload):
    """The changeset to process."""

    changeset_id: UUID


class ReleaseLeads(ChangesetPayload):
    """The changeset that clears the owner of the leads, and the member who leaves."""

    user_id: UUID


PURGE_DELETED = JobKind("leads.purge.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Purges leads whose retention period has ended."""

UNDO_CHANGESET = JobKind("leads.undo.v1", ChangesetPayload, max_attempts=10)
"""Undoes a large changeset; resumes after an earlier attempt."""

RELEASE_LEADS = JobKind("leads.release.v1", ReleaseLeads, max_attempts=10)
"""Clears the owner of a leaving member's leads, then deletes the member."""

BULK_CHANGE = JobKind("leads.bulk.v1", ChangesetPayload, max_attempts=10)
"""Applies the change of the changeset, or resumes it."""


class LeadCreatedData(EventData):
    """Source of the leads, as far as it is the same for all. `job_id`: the job that processes the lead, if any."""

    source: str | None = None
    job_id: UUID | None = None
    changeset_id: UUID | None = None
    import_id: UUID | None = None


class LeadUpdatedData(EventData):
    """The fields whose values changed; None if unknown."""

    fields: list[str] | None = None
    changeset_id: UUID | None = None


class ChangesetData(EventData):
    """The changeset of the change, if it is part of one."""

    changeset_id: UUID | None = None


class MergeData(EventData):
    """The merge, and the lead that was merged into this one, or is separate again."""

    merge_id: UUID
    other_id: UUID


class LeadErasedData(EventData):
    """Empty: no data of an erased person is kept."""


class EnrichmentRequestedData(EventData):
    """The ID of the job."""

    job_id: UUID


class ChangesetUndoneData(EventData):
    """Origin of the changeset, and the import if it was one."""

    kind: ChangesetKind
    import_id: UUID | None = None


LEAD_CREATED = EventType("lead.created.v1", LEAD, LeadCreatedData, "A lead was created.")
LEAD_UPDATED = EventType("lead.updated.v1", LEAD, LeadUpdatedData, "Fields of a lead were changed.")
LEAD_DELETED = EventType("lead.deleted.v1", LEAD, ChangesetData, "A lead was deleted. It may be restored.")
LEAD_RESTORED = EventType("lead.restored.v1", LEAD, ChangesetData, "A deleted lead was restored.")
LEAD_MERGED = EventType("lead.merged.v1", LEAD, MergeData, "Another lead was merged into this one.")
LEAD_UNMERGED = EventType("lead.unmerged.v1", LEAD, MergeData, "A merge with another lead was undone.")
LEAD_ERASED = EventType(
    "lead.erased.v1", LEAD, LeadErasedData, "A person was erased. Remove what you have stored about this lead."
)
LEAD_ENRICHMENT_REQUESTED = EventType(
    "lead.enrichment_requested.v1", LEAD, EnrichmentRequestedData, "A lead is to be enriched again."
)
CHANGESET_UNDONE = EventType(
    "changeset.undone.v1", CHANGESET, ChangesetUndoneData, "A change of many leads was undone."
)
EVENTS = (
    LEAD_CREATED,
    LEAD_UPDATED,
    LEAD_DELETED,
    LEAD_RESTORED,
    LEAD_MERGED,
    LEAD_UNMERGED,
    LEAD_ERASED,
    LEAD_ENRICHMENT_REQUESTED,
    CHANGESET_UNDONE,
)
