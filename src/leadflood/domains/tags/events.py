"""Domain events, timeline entries, audit actions and jobs of tags."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.events import EventData, EventType

TAG: Final = "tag"
TAGGED_KIND: Final = "lead.tagged"
UNTAGGED_KIND: Final = "lead.untagged"
"""Kinds of entries in the timeline of a lead."""


class LeadTagsData(EventData):
    """Which tags, and the changeset that the change is part of."""

    tag_ids: list[UUID]
    changeset_id: UUID | None = None


class TagData(EventData):
    """No data besides the tag itself."""


class TagMergedData(EventData):
    """Into which tag, and the changeset that undoes it."""

    into_id: UUID
    changeset_id: UUID


LEAD_TAGGED = EventType("lead.tagged.v1", LEAD, LeadTagsData, "Tags were added to a lead.")
LEAD_UNTAGGED = EventType("lead.untagged.v1", LEAD, LeadTagsData, "Tags were removed from a lead.")
TAG_CREATED = EventType("tag.created.v1", TAG, TagData, "A tag was created.")
TAG_UPDATED = EventType("tag.updated.v1", TAG, TagData, "A tag was renamed or got another color.")
TAG_DELETED = EventType("tag.deleted.v1", TAG, TagData, "A tag was deleted. Its leads keep it until it is purged.")
TAG_RESTORED = EventType("tag.restored.v1", TAG, TagData, "A deleted tag was restored.")
TAG_MERGED = EventType("tag.merged.v1", TAG, TagMergedData, "A tag was merged into another one.")
EVENTS = (LEAD_TAGGED, LEAD_UNTAGGED, TAG_CREATED, TAG_UPDATED, TAG_DELETED, TAG_RESTORED, TAG_MERGED)

PURGE_TAGS = JobKind("tags.purge.v1", NoPayload)
"""Enqueued by its schedule. Removes tags that were deleted longer ago than they can be restored."""


class TagAuditAction(StrEnum):
    """Audit actions of tags. The names are stable: users filter and alert by them."""

    CREATED = "tag.created"
    CHANGED = "tag.changed"
    DELETED = "tag.deleted"
    RESTORED = "tag.restored"
    MERGED = "tag.merged"
    TAGGED = "lead.tagged"
    UNTAGGED = "lead.untagged"
