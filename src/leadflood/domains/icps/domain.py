"""Declaration of the icps domain."""

from typing import Any

from leadflood.domains.companies.events import LEAD_LINKED
from leadflood.domains.enrichment.events import COMPANY_ENRICHED, LEAD_ENRICHED
from leadflood.domains.icps import jobs, listeners
from leadflood.domains.icps.events import (
    CHECK_DRIFT,
    EVENTS,
    RESCORE_DAILY,
    RESCORE_PENDING,
    IcpAuditAction,
    OutcomeAuditAction,
)
from leadflood.domains.icps.extension import EXTENSION, FILTERS
from leadflood.domains.icps.participant import PARTICIPANT
from leadflood.domains.icps.permissions import ICPS_PUBLISH, ICPS_READ, ICPS_WRITE, OUTCOMES_WRITE
from leadflood.domains.icps.queries.stakes import read_stakes
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD, LEAD_CREATED, LEAD_UPDATED
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.pages import AuditGroup, NavItem


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database)


_AUDIT = AuditGroup(
    "icp.",
    "Profiles",
    "circle-check",
    {
        IcpAuditAction.CREATED: "created a profile",
        IcpAuditAction.CHANGED: "changed a profile",
        IcpAuditAction.DRAFTED: "edited the draft of a profile",
        IcpAuditAction.DELETED: "deleted a profile",
        IcpAuditAction.PUBLICATION_STARTED: "began to publish version {number} of a profile",
        IcpAuditAction.PUBLISHED: "published version {number} of a profile",
        IcpAuditAction.BACKTESTED: "tested version {number} of a profile on known outcomes",
    },
    "/icps/{id}",
)

_OUTCOMES = AuditGroup(
    "outcome.",
    "Outcomes",
    "thumbs-up",
    {
        OutcomeAuditAction.RECORDED: "recorded an outcome of a lead",
        OutcomeAuditAction.DELETED: "deleted an outcome of a lead",
        OutcomeAuditAction.IMPORTED: "imported {count} outcomes",
    },
)

DOMAIN = Domain(
    name="icps",
    audit=(_AUDIT, _OUTCOMES),
    jobs=_jobs,
    schedules=(Schedule(RESCORE_PENDING, 30.0), Schedule(RESCORE_DAILY, 86_400.0), Schedule(CHECK_DRIFT, 86_400.0)),
    events=EVENTS,
    subscriptions=(
        Subscription("icps.lead_created", LEAD_CREATED, listeners.leads_changed),
        Subscription("icps.lead_updated", LEAD_UPDATED, listeners.leads_changed),
        Subscription("icps.lead_enriched", LEAD_ENRICHED, listeners.leads_changed),
        Subscription("icps.lead_linked", LEAD_LINKED, listeners.leads_changed),
        Subscription("icps.company_enriched", COMPANY_ENRICHED, listeners.companies_changed),
    ),
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    templates="leadflood.domains.icps.edge",
    stakes=read_stakes,
    permissions=(ICPS_READ, ICPS_WRITE, ICPS_PUBLISH, OUTCOMES_WRITE),
    routes=(
        "leadflood.domains.icps.edge.routes",
        "leadflood.domains.icps.edge.outcome_routes",
        "leadflood.domains.icps.edge.backtest_routes",
    ),
    pages=(
        "leadflood.domains.icps.edge.pages",
        "leadflood.domains.icps.edge.draft_pages",
        "leadflood.domains.icps.edge.outcome_pages",
        "leadflood.domains.icps.edge.backtest_pages",
    ),
    navigation=(
        NavItem(
            "Profiles",
            "/icps",
            "circle-dot",
            "data",
            order=67,
            permission=ICPS_READ,
            words="ideal customer profile icp fit score tier points criteria",
        ),
    ),
)
