"""Declaration of the notes domain."""

from typing import Any

from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.registry import JobDefinition
from leadflood.domains.leads.events import LEAD
from leadflood.domains.notes import jobs
from leadflood.domains.notes.events import EVENTS, NOTED_KIND, PURGE_NOTES, NoteAuditAction
from leadflood.domains.notes.extension import EXTENSION, FILTERS
from leadflood.domains.notes.participant import PARTICIPANT
from leadflood.domains.notes.permissions import NOTES_DELETE, NOTES_READ, NOTES_WRITE
from leadflood.kernel.domain import Domain, Services
from leadflood.kernel.pages import AuditGroup, TimelineKind


def _jobs(services: Services) -> list[JobDefinition[Any]]:
    return jobs.definitions(services.database, retention_days=services.settings.lead_retention_days)


_AUDIT = AuditGroup(
    "note.",
    "Notes",
    "notebook-pen",
    {
        NoteAuditAction.CREATED: "added a note to a lead",
        NoteAuditAction.UPDATED: "changed a note",
        NoteAuditAction.DELETED: "deleted a note",
        NoteAuditAction.RESTORED: "restored a note",
    },
)

DOMAIN = Domain(
    name="notes",
    audit=(_AUDIT,),
    jobs=_jobs,
    schedules=(Schedule(PURGE_NOTES, 86_400.0),),
    events=EVENTS,
    participants=(PARTICIPANT,),
    filters={LEAD: FILTERS},
    extensions={LEAD: EXTENSION},
    permissions=(NOTES_READ, NOTES_WRITE, NOTES_DELETE),
    routes=("leadflood.domains.notes.edge.routes",),
    pages=("leadflood.domains.notes.edge.pages",),
    templates="leadflood.domains.notes.edge",
    timeline=(TimelineKind(NOTED_KIND, "Note", "notebook-pen", "info"),),
)
