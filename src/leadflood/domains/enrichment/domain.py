"""Declaration of the enrichment domain."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.companies.events import (
    COMPANY,
    COMPANY_DELETED,
    COMPANY_MERGE_UNDONE,
    COMPANY_MERGED,
    COMPANY_RESTORED,
    COMPANY_SPLIT,
    COMPANY_UPDATED,
    LEAD_LINKED,
)
from leadflood.domains.enrichment import jobs, listeners
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import (
    CLEAR_RUNS,
    COMPANY_ENRICHED,
    COMPANY_ENRICHED_KIND,
    ENRICHMENT_CANCELED_KIND,
    LEAD_ENRICHED,
    LEAD_ENRICHMENT_FAILED,
    READ_DUE_COMPANIES,
    RECONCILE_PURCHASES,
    REFRESH_WORKSPACES,
    SOURCES_ANSWERED_KIND,
    VALUE_DECIDED_KIND,
    VALUES_RESTORED_KIND,
    VALUES_RETRACTED_KIND,
    EnrichmentAuditAction,
)
from leadflood.domains.enrichment.extension import COMPANY_EXTENSION, LEAD_EXTENSION, PURCHASE_EXTENSION
from leadflood.domains.enrichment.jobs.aliases import joining
from leadflood.domains.enrichment.jobs.companies import clearing
from leadflood.domains.enrichment.jobs.due_companies import due_companies
from leadflood.domains.enrichment.jobs.effective import refreshing
from leadflood.domains.enrichment.jobs.reconciling import reconciling
from leadflood.domains.enrichment.jobs.retractions import retracting
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.decisions import UNDONE, Decision
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.participant import PARTICIPANT
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE, SOURCES_WRITE
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.domains.enrichment.service.decisions import DECISION_CHANGESETS
from leadflood.domains.enrichment.service.retractions import RETRACTION_CHANGESETS
from leadflood.domains.enrichment.service.workspace_sources import WorkspaceSources
from leadflood.domains.enrichment.store.source_settings import PROVIDER_KEYS
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD, LEAD_CREATED, LEAD_ENRICHMENT_REQUESTED, LeadEventKind
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.spending.events import PURCHASE
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.fingerprints import Fingerprints
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import AuditGroup, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    fingerprints = Fingerprints(services.database, services.secret_box)
    engines = SubjectEngines(
        services.database,
        lambda workspace_id: DoorFetcher(services.door, services.sandbox, workspace_id),
        fingerprints.hash,
    )
    free = worker_sources(services.settings)
    sets = WorkspaceSources(free, services.secret_box)
    return [
        *jobs.definitions(sets, engines),
        *reconciling(
            services.database,
            sets,
            lambda workspace_id: DoorFetcher(services.door, services.sandbox, workspace_id),
        ),
        *clearing(services.database, retention_days=services.settings.job_retention_days),
        *refreshing(services.database),
        *retracting(),
        *joining(),
        *due_companies(
            services.database,
            free,
            enabled=services.settings.refresh_companies,
        ),
    ]


def _result(data: Mapping[str, Any]) -> str:
    return str(data.get("sentence", ""))


def _fields(data: Mapping[str, Any]) -> str:
    """The labels of the fields of an entry, and the source."""
    names = [str(name) for name in data.get("fields", ())]
    known = {field.name: field.label for field in (*PERSON_FIELDS, *COMPANY_FIELDS)}
    return f"{data.get('source', '')}: {', '.join(known.get(name, name) for name in names)}"


_DECIDED = {
    Decision.PINNED: "Pinned",
    Decision.UNPINNED: "Unpinned",
    Decision.CORRECTED: "Corrected",
    Decision.CORRECTION_REMOVED: "Correction removed",
    Decision.REJECTED: "Rejected",
    Decision.REJECTION_REMOVED: "Rejection removed",
    UNDONE: "Undone",
}


def _decision(data: Mapping[str, Any]) -> str:
    """A decision about a field, with its value."""
    known = {field.name: field.label for field in (*PERSON_FIELDS, *COMPANY_FIELDS)}
    name, value = str(data.get("field", "")), data.get("value")
    text = f"{_DECIDED.get(data.get('decision', ''), '')}: {known.get(name, name)}"
    return text if value is None else f"{text} “{value}”"


_AUDIT = (
    AuditGroup(
        "enrichment.company_",
        "Enrichment of a company",
        "sparkles",
        {EnrichmentAuditAction.COMPANY_REQUESTED: "re-enriched a company"},
        "/companies/{id}",
    ),
    AuditGroup(
        "enrichment.batch_",
        "Enrichment of many",
        "sparkles",
        {
            EnrichmentAuditAction.BATCH_STARTED: "started an enrichment of {count}",
            EnrichmentAuditAction.BATCH_PAUSED: "paused an enrichment",
            EnrichmentAuditAction.BATCH_RESUMED: "resumed an enrichment",
            EnrichmentAuditAction.BATCH_CANCELED: "canceled an enrichment",
        },
        "/enrichments/{id}",
    ),
    AuditGroup(
        "enrichment.policy_",
        "Policies of found values",
        "sparkles",
        {
            EnrichmentAuditAction.POLICY_SET: "changed the fill policy of {field}",
            EnrichmentAuditAction.POLICY_RESET: "reset the fill policy of {field}",
            EnrichmentAuditAction.SETTINGS_CHANGED: "changed when paid sources are asked",
        },
        "/settings/enrichment",
    ),
    AuditGroup(
        "enrichment.source_",
        "Sources with keys",
        "key-round",
        {
            EnrichmentAuditAction.SOURCE_KEY_SET: "set the key of the source {source}",
            EnrichmentAuditAction.SOURCE_KEY_CLEARED: "deleted the key of the source {source}",
            EnrichmentAuditAction.SOURCE_DEFINED: "defined the source {source}",
            EnrichmentAuditAction.SOURCE_DELETED: "deleted the source {source}",
            EnrichmentAuditAction.SOURCE_ENABLED: "enabled the source {source}",
            EnrichmentAuditAction.SOURCE_DISABLED: "disabled the source {source}",
            EnrichmentAuditAction.SOURCE_TESTED: "tested the source {source}",
        },
        "/settings/sources",
    ),
    AuditGroup(
        "enrichment.value_",
        "Decisions about found values",
        "pin",
        {
            EnrichmentAuditAction.VALUE_PINNED: "pinned a found value of the field {field}",
            EnrichmentAuditAction.VALUES_ACCEPTED: "accepted {count} found values of a company",
            EnrichmentAuditAction.VALUE_UNPINNED: "unpinned a found value of the field {field}",
            EnrichmentAuditAction.VALUE_CORRECTED: "corrected the field {field}",
            EnrichmentAuditAction.CORRECTION_REMOVED: "removed the correction of the field {field}",
            EnrichmentAuditAction.VALUE_REJECTED: "rejected a found value of the field {field}",
            EnrichmentAuditAction.REJECTION_REMOVED: "removed a rejection of the field {field}",
        },
        "/changes",
    ),
    AuditGroup(
        "enrichment.purchase_",
        "Purchases whose answer was lost",
        "coins",
        {EnrichmentAuditAction.PURCHASE_ASKED_AGAIN: "let {source} be asked again, which may be charged twice"},
        "/spending/purchases/{id}",
    ),
    AuditGroup(
        "enrichment.values_",
        "Found values",
        "sparkles",
        {EnrichmentAuditAction.VALUES_RETRACTED: "retracted {count} values of the source {source}"},
        "/changes/{id}",
    ),
)

DOMAIN = Domain(
    name="enrichment",
    audit=_AUDIT,
    jobs=_jobs,
    schedules=(
        Schedule(CLEAR_RUNS, 900.0),
        Schedule(RECONCILE_PURCHASES, 900.0),
        Schedule(READ_DUE_COMPANIES, 900.0),
        Schedule(REFRESH_WORKSPACES, 86_400.0),
    ),
    events=(LEAD_ENRICHED, LEAD_ENRICHMENT_FAILED, COMPANY_ENRICHED),
    subscriptions=(
        Subscription("enrichment.lead_created", LEAD_CREATED, listeners.lead_created),
        Subscription("enrichment.requested", LEAD_ENRICHMENT_REQUESTED, listeners.enrichment_requested),
        Subscription("enrichment.company_merged", COMPANY_MERGED, listeners.company_merged),
        Subscription("enrichment.company_merge_undone", COMPANY_MERGE_UNDONE, listeners.company_merge_undone),
        Subscription("enrichment.company_split", COMPANY_SPLIT, listeners.company_split),
        Subscription("enrichment.company_updated", COMPANY_UPDATED, listeners.company_changed),
        Subscription("enrichment.company_deleted", COMPANY_DELETED, listeners.company_changed),
        Subscription("enrichment.company_restored", COMPANY_RESTORED, listeners.company_changed),
        Subscription("enrichment.lead_linked", LEAD_LINKED, listeners.lead_linked),
    ),
    changesets=(RETRACTION_CHANGESETS, DECISION_CHANGESETS),
    participants=(PARTICIPANT,),
    permissions=(ENRICHMENT_WRITE, SOURCES_WRITE),
    sealed=(PROVIDER_KEYS,),
    extensions={LEAD: LEAD_EXTENSION, COMPANY: COMPANY_EXTENSION, PURCHASE: PURCHASE_EXTENSION},
    routes=(
        "leadflood.domains.enrichment.edge.routes",
        "leadflood.domains.enrichment.edge.batch_routes",
        "leadflood.domains.enrichment.edge.source_routes",
        "leadflood.domains.enrichment.edge.retraction_routes",
        "leadflood.domains.enrichment.edge.decision_routes",
        "leadflood.domains.enrichment.edge.policy_routes",
        "leadflood.domains.enrichment.edge.settings_routes",
        "leadflood.domains.enrichment.edge.purchase_routes",
    ),
    pages=(
        "leadflood.domains.enrichment.edge.pages",
        "leadflood.domains.enrichment.edge.batch_pages",
        "leadflood.domains.enrichment.edge.source_pages",
        "leadflood.domains.enrichment.edge.retraction_pages",
        "leadflood.domains.enrichment.edge.decision_pages",
        "leadflood.domains.enrichment.edge.policy_pages",
        "leadflood.domains.enrichment.edge.purchase_pages",
    ),
    navigation=(
        NavItem(
            "Enrichments",
            "/enrichments",
            "sparkles",
            "data",
            order=65,
            permission=LEADS_READ,
            words="enrich batch bulk sources find",
        ),
        NavItem(
            "Enrichment",
            "/settings/enrichment",
            "sparkles",
            "workspace",
            order=154,
            permission=LEADS_READ,
            words="settings policies fill suggest confidence found values",
        ),
        NavItem(
            "Sources",
            "/settings/sources",
            "activity",
            "workspace",
            order=155,
            permission=LEADS_READ,
            words="settings enrichment health registers website",
        ),
    ),
    templates="leadflood.domains.enrichment.edge",
    timeline=(
        TimelineKind(LeadEventKind.ENRICHMENT_REQUESTED, "Enrichment requested", "sparkles"),
        TimelineKind(LeadEventKind.ENRICHMENT_STARTED, "Enrichment started", "loader-circle", "info"),
        TimelineKind(LeadEventKind.ENRICHMENT_COMPLETED, "Enriched", "circle-check", "ok"),
        TimelineKind(LeadEventKind.ENRICHMENT_FAILED, "Enrichment failed", "circle-x", "bad"),
        TimelineKind(ENRICHMENT_CANCELED_KIND, "Enrichment canceled", "ban"),
        TimelineKind(VALUES_RETRACTED_KIND, "Found values retracted", "ban", "warn", text=_fields),
        TimelineKind(VALUES_RESTORED_KIND, "Retracted values restored", "rotate-cw"),
        TimelineKind(VALUE_DECIDED_KIND, "Found value decided", "pin", text=_decision),
        TimelineKind(SOURCES_ANSWERED_KIND, "Sources answered", "sparkles", "ok", text=_result),
        TimelineKind(COMPANY_ENRICHED_KIND, "Sources asked", "sparkles", "info", text=_result),
    ),
    metrics=(
        Metric(
            name="enrichment.completed",
            label="Leads enriched",
            help="Enrichments completed, including repeated ones of a lead.",
            permission=LEADS_READ,
            entry=LeadEventKind.ENRICHMENT_COMPLETED,
        ),
        Metric(
            name="enrichment.failed",
            label="Enrichments failed",
            help="Enrichments failed after all attempts.",
            permission=LEADS_READ,
            entry=LeadEventKind.ENRICHMENT_FAILED,
        ),
    ),
)
