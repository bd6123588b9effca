"""Declaration of the companies domain."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.companies import jobs, listeners
from leadflood.domains.companies.events import (
    COMPANY_CHOSEN_KIND,
    EVENTS,
    LINK_WORKSPACES,
    PURGE_COMPANIES,
    CompanyAuditAction,
    CompanyEventKind,
)
from leadflood.domains.companies.extension import EXTENSION, FILTERS
from leadflood.domains.companies.models import CompanySource
from leadflood.domains.companies.participant import PARTICIPANT
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD, LEAD_CREATED, LEAD_MERGED, LEAD_UNMERGED, LEAD_UPDATED
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.events import Subscription
from leadflood.kernel.pages import AuditGroup, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, retention_days=services.settings.lead_retention_days)


def _chosen(data: Mapping[str, Any]) -> str:
    return str(data.get("company") or "None")


def _origin(data: Mapping[str, Any]) -> str:
    texts = {
        CompanySource.LEAD: "From the website or email of a lead",
        CompanySource.IMPORT: "From a list of domains",
        CompanySource.SPLIT: "Split off another company",
    }
    return texts.get(data.get("source", ""), "")


def _changes(data: Mapping[str, Any]) -> str:
    labels = {"name": "Name", "domain": "Main domain"}
    changed = data.get("changes") or {}
    return ", ".join(f"{labels.get(key, key)}: {after or 'none'}" for key, (_, after) in changed.items())


def _other(data: Mapping[str, Any]) -> str:
    return str(data.get("other") or "")


def _split(data: Mapping[str, Any]) -> str:
    return ", ".join(map(str, data.get("domains", ())))


def _domain(data: Mapping[str, Any]) -> str:
    return str(data.get("domain") or "")


_AUDIT = AuditGroup(
    "compan",
    "Companies",
    "building-2",
    {
        CompanyAuditAction.CREATED: "created the company {domain}",
        CompanyAuditAction.IMPORTED: "added {count} companies",
        CompanyAuditAction.CHANGED: "changed a company",
        CompanyAuditAction.DELETED: "deleted a company",
        CompanyAuditAction.RESTORED: "restored a company",
        CompanyAuditAction.MERGED: "merged two companies",
        CompanyAuditAction.SPLIT: "split a company",
        CompanyAuditAction.UNDONE: "undid a merge or split of companies",
        CompanyAuditAction.DOMAIN_ADDED: "added a domain to a company",
        CompanyAuditAction.DOMAIN_REMOVED: "removed a domain from a company",
        CompanyAuditAction.LEADS_LINKED: "changed the linked company of {leads}",
        CompanyAuditAction.EXPORTED: "exported companies",
    },
    "/companies/{id}",
)

DOMAIN = Domain(
    name="companies",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(LINK_WORKSPACES, 86_400.0), Schedule(PURGE_COMPANIES, 86_400.0)),
    events=EVENTS,
    subscriptions=(
        Subscription("companies.lead_created", LEAD_CREATED, listeners.lead_created),
        Subscription("companies.lead_updated", LEAD_UPDATED, listeners.lead_updated),
        Subscription("companies.lead_merged", LEAD_MERGED, listeners.lead_merged),
        Subscription("companies.lead_unmerged", LEAD_UNMERGED, listeners.lead_merged),
    ),
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    permissions=(COMPANIES_READ, COMPANIES_WRITE),
    routes=("leadflood.domains.companies.edge.routes",),
    pages=("leadflood.domains.companies.edge.pages",),
    templates="leadflood.domains.companies.edge",
    navigation=(
        NavItem(
            "Companies",
            "/companies",
            "building-2",
            "main",
            order=15,
            keys="g c",
            permission=COMPANIES_READ,
            words="accounts organizations domains",
        ),
    ),
    timeline=(
        TimelineKind(COMPANY_CHOSEN_KIND, "Company chosen", "building-2", text=_chosen),
        TimelineKind(CompanyEventKind.CREATED, "Created", "building-2", "info", text=_origin),
        TimelineKind(CompanyEventKind.CHANGED, "Updated", "pencil", text=_changes),
        TimelineKind(CompanyEventKind.DELETED, "Deleted", "trash-2", "bad"),
        TimelineKind(CompanyEventKind.RESTORED, "Restored", "rotate-cw"),
        TimelineKind(CompanyEventKind.MERGED, "Merged with another company", "users", "info", text=_other),
        TimelineKind(CompanyEventKind.MERGED_INTO, "Merged into another company", "users", text=_other),
        TimelineKind(CompanyEventKind.SPLIT, "Domains split off", "columns-3", text=_split),
        TimelineKind(CompanyEventKind.UNDONE, "Merge or split undone", "rotate-cw", text=_other),
        TimelineKind(CompanyEventKind.DOMAIN_ADDED, "Domain added", "plus", text=_domain),
        TimelineKind(CompanyEventKind.DOMAIN_REMOVED, "Domain removed", "x", text=_domain),
    ),
)
