"""Domain events, timeline entries, audit actions and jobs of notes."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload
from leadflood.kernel.events import EventData, EventType

NOTE: Final = "note"
NOTED_KIND: Final = "lead.noted"
"""Kind of the entry in the timeline of a lead."""


class NoteData(EventData):
    """The lead of the note. Events don't have the text."""

    lead_id: UUID


NOTE_CREATED = EventType("note.created.v1", NOTE, NoteData, "A note was written on a lead.")
NOTE_UPDATED = EventType("note.updated.v1", NOTE, NoteData, "The text of a note was edited.")
NOTE_DELETED = EventType("note.deleted.v1", NOTE, NoteData, "A note was deleted. It can be restored for a while.")
NOTE_RESTORED = EventType("note.restored.v1", NOTE, NoteData, "A deleted note was restored.")
EVENTS = (NOTE_CREATED, NOTE_UPDATED, NOTE_DELETED, NOTE_RESTORED)

PURGE_NOTES = JobKind("notes.purge.v1", NoPayload)
"""Enqueued by its schedule. Removes notes that were deleted longer ago than they can be restored."""


class NoteAuditAction(StrEnum):
    """Audit actions of notes. The names are stable: users filter and alert by them."""

    CREATED = "note.created"
    UPDATED = "note.updated"
    DELETED = "note.deleted"
    RESTORED = "note.restored"
