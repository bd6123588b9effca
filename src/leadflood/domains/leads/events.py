"""What the timeline of a lead and the audit log record, and the jobs that a lead causes."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
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


class EnrichLead(Payload):
    """Which lead."""

    lead_id: UUID


class ChangesetPayload(Payload):
    """Which changeset."""

    changeset_id: UUID


class ReleaseLeads(ChangesetPayload):
    """Which changeset clears the owner of the leads, and who leaves."""

    user_id: UUID


ENRICH_LEAD = JobKind("leads.enrich.v1", EnrichLead, max_attempts=5)
"""Enqueued with every new lead; the enrichment domain runs it."""

PURGE_DELETED = JobKind("leads.purge.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Removes for good what was deleted longer ago than can be restored."""

UNDO_CHANGESET = JobKind("leads.undo.v1", ChangesetPayload, max_attempts=10)
"""Undoes a large changeset, going on where an earlier attempt ended."""

RELEASE_LEADS = JobKind("leads.release.v1", ReleaseLeads, max_attempts=10)
"""Clears the owner of a leaving member's leads, then deletes it."""

BULK_CHANGE = JobKind("leads.bulk.v1", ChangesetPayload, max_attempts=10)
"""Makes the change that the changeset asks for, or goes on with it."""
