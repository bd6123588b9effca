"""What happens to leads: domain events, entries of timelines and of the audit log; and the jobs of leads."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.domains.leads.models import ChangesetKind
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority


class LeadEventKind(StrEnum):
    """The kinds of entries in a lead's timeline. The values are stored: they never change their meaning."""

    CREATED = "lead.created"
    CHANGED = "lead.changed"
    DELETED = "lead.deleted"
    RESTORED = "lead.restored"
    MERGED = "lead.merged"
    """Another lead became part of this one."""

    MERGED_INTO = "lead.merged_into"
    UNMERGED = "lead.unmerged"
    """What became part of this lead is a lead of its own again."""

    ENRICHMENT_REQUESTED = "enrichment.requested"
    ENRICHMENT_STARTED = "enrichment.started"
    ENRICHMENT_COMPLETED = "enrichment.completed"
    ENRICHMENT_FAILED = "enrichment.failed"


LEAD: Final = "lead"
CHANGESET: Final = "changeset"
VIEW: Final = "view"


class LeadAuditAction(StrEnum):
    """What is done to leads, one or many, and to saved views. The names are stable: people filter and alert by them."""

    CHANGED = "leads.changed"
    DELETED = "leads.deleted"
    RESTORED = "leads.restored"
    ENRICHMENT_REQUESTED = "leads.enrichment_requested"
    CHANGE_FINISHED = "changeset.finished"
    """A job has made the change that was asked for, or gave up: how many leads it changed."""

    UNDONE = "changeset.undone"
    UNDO_FINISHED = "changeset.undo_finished"
    PERSONAL_DATA_EXPORTED = "person.exported"
    ERASED = "person.erased"
    """A person was erased: which leads, and how many rows. Nothing in it names the person."""

    VIEW_CREATED = "view.created"
    VIEW_CHANGED = "view.changed"
    VIEW_DELETED = "view.deleted"
    VIEW_RESTORED = "view.restored"


class ChangesetPayload(Payload):
    """Which changeset."""

    changeset_id: UUID


class ReleaseLeads(ChangesetPayload):
    """Which changeset clears the owner of the leads, and who leaves."""

    user_id: UUID


PURGE_DELETED = JobKind("leads.purge.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Purges what was deleted longer ago than can be restored."""

UNDO_CHANGESET = JobKind("leads.undo.v1", ChangesetPayload, max_attempts=10)
"""Undoes a large changeset, going on where an earlier attempt ended."""

RELEASE_LEADS = JobKind("leads.release.v1", ReleaseLeads, max_attempts=10)
"""Clears the owner of a leaving member's leads, then deletes it."""

BULK_CHANGE = JobKind("leads.bulk.v1", ChangesetPayload, max_attempts=10)
"""Makes the change that the changeset asks for, or goes on with it."""


class LeadCreatedData(EventData):
    """How it came, as far as that is the same for all. `job_id`: of the job that processes it, where one is wanted."""

    source: str | None = None
    job_id: UUID | None = None
    changeset_id: UUID | None = None
    import_id: UUID | None = None


class LeadUpdatedData(EventData):
    """Which fields have another value; None where that is not known."""

    fields: list[str] | None = None
    changeset_id: UUID | None = None


class ChangesetData(EventData):
    """The changeset that the change is part of, where it is part of one."""

    changeset_id: UUID | None = None


class MergeData(EventData):
    """The merge, and the lead that became part of this one, or is a lead of its own again."""

    merge_id: UUID
    other_id: UUID


class LeadErasedData(EventData):
    """Nothing: no data of an erased person is kept."""


class EnrichmentRequestedData(EventData):
    """The id that the job has."""

    job_id: UUID


class ChangesetUndoneData(EventData):
    """What wrote the changeset, and the import where it was one."""

    kind: ChangesetKind
    import_id: UUID | None = None


LEAD_CREATED = EventType("lead.created.v1", LEAD, LeadCreatedData, "A lead was created.")
LEAD_UPDATED = EventType("lead.updated.v1", LEAD, LeadUpdatedData, "Fields of a lead were changed.")
LEAD_DELETED = EventType("lead.deleted.v1", LEAD, ChangesetData, "A lead was deleted. It may be restored.")
LEAD_RESTORED = EventType("lead.restored.v1", LEAD, ChangesetData, "A deleted lead was restored.")
LEAD_MERGED = EventType("lead.merged.v1", LEAD, MergeData, "Another lead became part of this one.")
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
