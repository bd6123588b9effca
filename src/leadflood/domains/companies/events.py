"""Domain events, timeline entries, audit actions and jobs of companies."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.companies.models import CompanySource
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority

COMPANY: Final = "company"
COMPANY_CHOSEN_KIND: Final = "lead.company_chosen"
"""Kind of entries in the timeline of a lead."""


class CompanyEventKind(StrEnum):
    """Kinds of entries in a company's timeline. The values are stored: they never change their meaning."""

    CREATED = "company.created"
    CHANGED = "company.changed"
    DELETED = "company.deleted"
    RESTORED = "company.restored"
    MERGED = "company.merged"
    """Another company was merged into this one."""

    MERGED_INTO = "company.merged_into"
    SPLIT = "company.split"
    """Domains became a company of their own."""

    UNDONE = "company.merge_undone"
    """A merge or split of this company was undone."""

    DOMAIN_ADDED = "company.domain_added"
    DOMAIN_REMOVED = "company.domain_removed"


class CompanyAuditAction(StrEnum):
    """Audit actions of companies. The names are stable: users filter and alert by them."""

    CREATED = "company.created"
    IMPORTED = "companies.imported"
    CHANGED = "company.changed"
    DELETED = "company.deleted"
    RESTORED = "company.restored"
    MERGED = "company.merged"
    SPLIT = "company.split"
    UNDONE = "company.merge_undone"
    DOMAIN_ADDED = "company.domain_added"
    DOMAIN_REMOVED = "company.domain_removed"
    LEADS_LINKED = "company.leads_linked"
    EXPORTED = "companies.exported"


class CompanyCreatedData(EventData):
    """Origin of the company."""

    source: CompanySource


class CompanyData(EventData):
    """No data besides the subject itself."""


class CompanyMergeData(EventData):
    """The merge or split, and the other company."""

    merge_id: UUID
    other_id: UUID


class LinkLeadsPayload(Payload):
    """The leads to link, up to 500."""

    lead_ids: list[UUID]


COMPANY_CREATED = EventType("company.created.v1", COMPANY, CompanyCreatedData, "A company was created.")
COMPANY_UPDATED = EventType(
    "company.updated.v1",
    COMPANY,
    CompanyData,
    "The name, the main domain, the domains or the status of a company changed.",
)
COMPANY_DELETED = EventType("company.deleted.v1", COMPANY, CompanyData, "A company was deleted. It may be restored.")
COMPANY_RESTORED = EventType("company.restored.v1", COMPANY, CompanyData, "A deleted company was restored.")
COMPANY_MERGED = EventType("company.merged.v1", COMPANY, CompanyMergeData, "Another company was merged into this one.")
COMPANY_SPLIT = EventType(
    "company.split.v1", COMPANY, CompanyMergeData, "Some domains of this company became another company."
)
COMPANY_MERGE_UNDONE = EventType(
    "company.merge_undone.v1", COMPANY, CompanyMergeData, "A merge or split of this company was undone."
)
LEAD_LINKED = EventType("lead.company_changed.v1", LEAD, CompanyData, "A lead belongs to another company, or to none.")
EVENTS = (
    COMPANY_CREATED,
    COMPANY_UPDATED,
    COMPANY_DELETED,
    COMPANY_RESTORED,
    COMPANY_MERGED,
    COMPANY_SPLIT,
    COMPANY_MERGE_UNDONE,
    LEAD_LINKED,
)

LINK_LEADS = JobKind("companies.link.v1", LinkLeadsPayload, max_attempts=10, priority=Priority.BULK)
"""Links some leads to their companies."""

LINK_WORKSPACE = JobKind("companies.link_workspace.v1", NoPayload, max_attempts=10, priority=Priority.BULK, unique=True)
"""Links the leads of a workspace whose company is missing or outdated; resumes after an earlier attempt."""

LINK_WORKSPACES = JobKind("companies.link_workspaces.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Queues the job above for each workspace."""

PURGE_COMPANIES = JobKind("companies.purge.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Removes companies and merges after the retention period."""
