"""Domain events, timeline entries, audit actions and jobs of lists."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType

LIST: Final = "list"
ADDED_KIND: Final = "lead.added_to_list"
REMOVED_KIND: Final = "lead.removed_from_list"
"""Kinds of entries in the timeline of a lead."""


class LeadListData(EventData):
    """Which list, and the changeset that the change is part of."""

    list_id: UUID
    changeset_id: UUID | None = None


class ListData(EventData):
    """No data besides the list itself."""


LEAD_ADDED = EventType("lead.added_to_list.v1", LEAD, LeadListData, "A lead was added to a list.")
LEAD_REMOVED = EventType("lead.removed_from_list.v1", LEAD, LeadListData, "A lead was removed from a list.")
LIST_CREATED = EventType("list.created.v1", LIST, ListData, "A list was created.")
LIST_UPDATED = EventType("list.updated.v1", LIST, ListData, "A list was renamed or described.")
LIST_DELETED = EventType("list.deleted.v1", LIST, ListData, "A list was deleted.")
LIST_RESTORED = EventType("list.restored.v1", LIST, ListData, "A deleted list was restored.")
EVENTS = (LEAD_ADDED, LEAD_REMOVED, LIST_CREATED, LIST_UPDATED, LIST_DELETED, LIST_RESTORED)

PURGE_LISTS = JobKind("lists.purge.v1", NoPayload)
"""Enqueued by its schedule. Removes lists that were deleted longer ago than they can be restored."""


class ListAuditAction(StrEnum):
    """Audit actions of lists. The names are stable: users filter and alert by them."""

    CREATED = "list.created"
    CHANGED = "list.changed"
    DELETED = "list.deleted"
    RESTORED = "list.restored"
    ADDED = "list.leads_added"
    REMOVED = "list.leads_removed"
