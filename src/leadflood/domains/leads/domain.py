"""Declaration of the leads domain."""

from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads import jobs
from leadflood.domains.leads.events import EVENTS, LEAD, PURGE_DELETED, LeadEventKind
from leadflood.domains.leads.participant import PARTICIPANT
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE, PERMISSIONS
from leadflood.domains.leads.service.custom import convert_values
from leadflood.domains.leads.service.undoing import LEAD_CHANGESETS
from leadflood.kernel.db.sql import sql
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import NavCount, NavItem, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(
        services.database, services.participants, retention_days=services.settings.lead_retention_days
    )


DOMAIN = Domain(
    name="leads",
    jobs=_jobs,
    schedules=(Schedule(PURGE_DELETED, 86_400.0),),
    events=EVENTS,
    changesets=(LEAD_CHANGESETS,),
    participants=(PARTICIPANT,),
    permissions=PERMISSIONS,
    converters={LEAD: convert_values},
    routes=(
        "leadflood.api.routes.leads",
        "leadflood.api.routes.deleted_leads",
        "leadflood.api.routes.personal_data",
        "leadflood.api.routes.changesets",
        "leadflood.api.routes.views",
    ),
    pages=(
        "leadflood.web.pages.leads",
        "leadflood.web.pages.lead_board",
        "leadflood.web.pages.lead_columns",
        "leadflood.web.pages.lead_rows",
        "leadflood.web.pages.lead_views",
        "leadflood.web.pages.lead_sidebar",
        "leadflood.web.pages.lead_new",
        "leadflood.web.pages.lead",
        "leadflood.web.pages.lead_history",
        "leadflood.web.pages.lead_filter_form",
        "leadflood.web.pages.leads_bulk",
        "leadflood.web.pages.deleted_leads",
        "leadflood.web.pages.changes",
    ),
    navigation=(
        NavItem(
            "Leads",
            "/leads",
            "contact",
            "main",
            order=10,
            keys="g l",
            permission=LEADS_READ,
        ),
        NavItem(
            "All leads",
            "/leads?view=all",
            "contact",
            "main",
            order=10,
            permission=LEADS_READ,
            parent="/leads",
            identified_by=("none",),  # current where no other item is
            count="leads",
        ),
        NavItem(
            "My leads",
            "/leads?owner=me",
            "user",
            "main",
            order=11,
            permission=LEADS_READ,
            words="mine owner assigned",
            parent="/leads",
        ),
        NavItem(
            "Needs attention",
            "/leads?status=failed",
            "circle-alert",
            "main",
            order=12,
            permission=LEADS_READ,
            words="failed errors leads",
            parent="/leads",
            failed="leads_failed",
        ),
        NavItem(
            "New lead",
            "/leads/new",
            "user-plus",
            order=13,
            keys="g n",
            permission=LEADS_WRITE,
            words="create add",
        ),
        NavItem(
            "Recently deleted",
            "/leads/deleted",
            "trash-2",
            "workspace",
            order=150,
            permission=LEADS_READ,
            words="settings restore",
        ),
        NavItem(
            "Change history",
            "/changes",
            "rotate-cw",
            "workspace",
            order=160,
            permission=LEADS_READ,
            words="settings undo",
        ),
    ),
    nav_counts=(
        NavCount("leads", sql("SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL")),
        NavCount(
            "leads_failed",
            sql("SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND status = 'failed'"),
        ),
    ),
    timeline=(
        TimelineKind(LeadEventKind.CREATED, "Created", "user-plus", "info"),
        TimelineKind(LeadEventKind.CHANGED, "Updated", "pencil"),
        TimelineKind(LeadEventKind.DELETED, "Deleted", "trash-2", "bad"),
        TimelineKind(LeadEventKind.RESTORED, "Restored", "rotate-cw"),
        TimelineKind(LeadEventKind.MERGED, "Merged with another lead", "users", "info"),
        TimelineKind(LeadEventKind.MERGED_INTO, "Merged into another lead", "users"),
        TimelineKind(LeadEventKind.UNMERGED, "Unmerged", "rotate-cw"),
    ),
    metrics=(
        Metric(
            name="leads.created",
            label="Leads created",
            help="Leads created, including those deleted since.",
            permission=LEADS_READ,
            entry=LeadEventKind.CREATED,
        ),
        Metric(
            name="leads.deleted",
            label="Leads deleted",
            help="Leads deleted, including those restored since.",
            permission=LEADS_READ,
            entry=LeadEventKind.DELETED,
        ),
    ),
)
