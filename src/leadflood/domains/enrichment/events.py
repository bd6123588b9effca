"""The job and the domain events of enrichment."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.companies.events import COMPANY
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority


class EnrichLead(Payload):
    """The lead to enrich."""

    lead_id: UUID


ENRICH_LEAD = JobKind("leads.enrich.v1", EnrichLead, max_attempts=5)
"""Queued in the transaction that creates a lead, or that requests its enrichment."""


class EnrichLeadLater(Payload):
    """The lead about which sources are asked again that asked for patience."""

    lead_id: UUID


ENRICH_LEAD_LATER = JobKind(
    "enrichment.lead.v1", EnrichLeadLater, max_attempts=5, priority=Priority.BULK, outgoing=True
)
"""Queued in the transaction that ends a run of a lead. Waits until its sources can be asked again."""


class EnrichCompany(Payload):
    """The run of a company."""

    run_id: UUID
    company_id: UUID


ENRICH_COMPANY = JobKind("enrichment.company.v1", EnrichCompany, max_attempts=5, outgoing=True)
"""Queued in the transaction that starts the run. Asks the sources about a company."""


class EnrichBatch(Payload):
    """The batch to continue."""

    batch_id: UUID


ENRICH_BATCH = JobKind("enrichment.batch.v1", EnrichBatch, max_attempts=5, priority=Priority.BULK)
"""Queued in the transaction that starts or resumes a batch. Queues the jobs of its leads or companies part by part."""

ENRICHMENT_CANCELED_KIND: Final = "enrichment.canceled"
"""Kind of entries in the timeline of a lead: its enrichment was requested, and canceled before it began."""

ENRICHMENT_BATCH: Final = "enrichment_batch"
"""Kind of subject of the audit log."""

READ_DUE_COMPANIES = JobKind("enrichment.read_due_companies.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Starts runs of companies whose facts are no longer fresh."""

RECONCILE_PURCHASES = JobKind("enrichment.reconcile.v1", NoPayload, max_attempts=3, outgoing=True)
"""Enqueued by its schedule. Resolves calls whose answer was lost, by the evidence that there is."""

CLEAR_RUNS = JobKind("enrichment.clear_runs.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Ends runs that no job is going to end, and deletes old ones."""


class SourceTestPayload(Payload):
    """The source to test, and the lead or company that it is asked about."""

    source: str
    subject: SubjectKind
    subject_id: UUID


TEST_SOURCE = JobKind("enrichment.source_test.v1", SourceTestPayload, max_attempts=3, outgoing=True)
"""Queued in the transaction that requests the test. Asks one source once."""


class JoinCompanies(Payload):
    """The company that may be the same as another one."""

    company_id: UUID


JOIN_COMPANIES = JobKind("enrichment.join_companies.v1", JoinCompanies, max_attempts=5, priority=Priority.BULK)
"""Queued in the transaction that ends a run which saw the same redirect again. Merges companies in one of its own."""


class RefreshCompanyLeads(Payload):
    """The company whose leads may have outdated found values."""

    company_id: UUID


REFRESH_COMPANY_LEADS = JobKind(
    "enrichment.refresh_company_leads.v1", RefreshCompanyLeads, max_attempts=10, priority=Priority.BULK
)
"""Brings the found values of the leads of a company up to date. A later change queues another one: not unique."""

REFRESH_LEADS = JobKind("enrichment.refresh_leads.v1", NoPayload, max_attempts=10, priority=Priority.BULK, unique=True)
"""The same for all leads of a workspace."""

REFRESH_WORKSPACES = JobKind("enrichment.refresh_workspaces.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Enqueued by its schedule. Queues the job above for each workspace."""


class RetractValuesPayload(Payload):
    """The retraction to carry on."""

    retraction_id: UUID


RETRACT_VALUES = JobKind("enrichment.retract.v1", RetractValuesPayload, max_attempts=10)
"""Queued in the transaction that retracts values of many leads or companies, which it does part by part."""

RETRACTION: Final = "retraction"
"""Kind of subject of changesets and of the audit log."""

VALUES_RETRACTED_KIND: Final = "values.retracted"
VALUES_RESTORED_KIND: Final = "values.restored"
"""Kinds of entries in the timelines of leads and companies: values of a source were retracted, or restored."""

SOURCE: Final = "source"
"""Kind of subject of the audit log."""

FILL_POLICY: Final = "fill_policy"
"""Kind of subject of the audit log."""

ENRICHMENT_SETTINGS: Final = "enrichment_settings"
"""Kind of subject of the audit log."""

DECISION: Final = "decision"
"""Kind of subject of changesets: a decision about a field of a lead or company."""

VALUE_DECIDED_KIND: Final = "values.decided"
"""Kind of entries in the timelines of leads and companies: a person pinned, corrected or rejected a value."""

SOURCES_ANSWERED_KIND: Final = "enrichment.answered"
"""Kind of entries in the timeline of a lead: sources that had asked for patience found something."""

COMPANY_ENRICHED_KIND: Final = "company.enriched"
"""Kind of entries in the timeline of a company: a run has ended."""


class EnrichmentAuditAction(StrEnum):
    """Audit actions of enrichment. The names are stable: users filter and alert by them."""

    COMPANY_REQUESTED = "enrichment.company_requested"
    BATCH_STARTED = "enrichment.batch_started"
    BATCH_PAUSED = "enrichment.batch_paused"
    BATCH_RESUMED = "enrichment.batch_resumed"
    BATCH_CANCELED = "enrichment.batch_canceled"
    VALUES_RETRACTED = "enrichment.values_retracted"
    POLICY_SET = "enrichment.policy_set"
    POLICY_RESET = "enrichment.policy_reset"
    SETTINGS_CHANGED = "enrichment.policy_settings_changed"
    VALUE_PINNED = "enrichment.value_pinned"
    VALUES_ACCEPTED = "enrichment.value_accepted"
    VALUE_UNPINNED = "enrichment.value_unpinned"
    VALUE_CORRECTED = "enrichment.value_corrected"
    CORRECTION_REMOVED = "enrichment.value_correction_removed"
    VALUE_REJECTED = "enrichment.value_rejected"
    REJECTION_REMOVED = "enrichment.value_rejection_removed"
    SOURCE_KEY_SET = "enrichment.source_key_set"
    SOURCE_KEY_CLEARED = "enrichment.source_key_cleared"
    SOURCE_ENABLED = "enrichment.source_enabled"
    SOURCE_DISABLED = "enrichment.source_disabled"
    SOURCE_DEFINED = "enrichment.source_defined"
    SOURCE_DELETED = "enrichment.source_deleted"
    SOURCE_TESTED = "enrichment.source_tested"
    PURCHASE_ASKED_AGAIN = "enrichment.purchase_asked_again"


class LeadEnrichedData(EventData):
    """The job, and the fields with a chosen value."""

    job_id: UUID
    fields: list[str]


class EnrichmentFailedData(EventData):
    """The job, which has the reason."""

    job_id: UUID


class CompanyEnrichedData(EventData):
    """The run, how it ended, and the fields with a chosen value."""

    run_id: UUID
    state: CompanyRunState
    fields: list[str]


COMPANY_ENRICHED = EventType(
    "company.enriched.v1", COMPANY, CompanyEnrichedData, "The sources were asked about a company."
)
LEAD_ENRICHED = EventType("lead.enriched.v1", LEAD, LeadEnrichedData, "Enrichment of a lead is complete.")
LEAD_ENRICHMENT_FAILED = EventType(
    "lead.enrichment_failed.v1", LEAD, EnrichmentFailedData, "Enrichment of a lead failed for good."
)
