"""Notes on leads: plain text by members."""

from fastapi import APIRouter, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.notes import queries, service
from leadflood.domains.notes.contracts import NoteView, WriteNote
from leadflood.domains.notes.permissions import NOTES_READ, NOTES_WRITE

router = APIRouter(tags=["notes"], route_class=EdgeRoute)


@router.get("/v1/leads/{id}/notes", summary="List the notes of a lead")
@requires(NOTES_READ)
async def list_notes(lead_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[NoteView]:
    """The notes of the lead, newest first."""
    return pages.answer(
        await queries.list_notes(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    )


@router.post("/v1/leads/{id}/notes", status_code=201, summary="Add a note to a lead")
@requires(NOTES_WRITE)
async def add_note(lead_id: ResourceId, command: WriteNote, response: Response, unit: UnitOfWorkDep) -> NoteView:
    """Write a note. Its author is the caller: a user, or an API key."""
    note = await service.add_note(unit.tx, unit.actor, lead_id=lead_id, command=command)
    response.headers["Location"] = f"/v1/notes/{note.id}"
    response.headers["ETag"] = etag(note.version)
    return note


@router.get("/v1/notes/{id}", summary="Retrieve a note")
@requires(NOTES_READ)
async def get_note(note_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> NoteView:
    """Returns the note. Its `ETag` is the value for `If-Match`."""
    note = await queries.get_note(unit.tx, unit.actor, note_id=note_id)
    response.headers["ETag"] = etag(note.version)
    return note


@router.patch("/v1/notes/{id}", summary="Update a note")
@requires(NOTES_WRITE)
async def update_note(
    note_id: ResourceId, command: WriteNote, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> NoteView:
    """Replace the text. Only the author of a note can do this. Requires `If-Match`."""
    note = await service.update_note(unit.tx, unit.actor, note_id=note_id, command=command, expected_version=version)
    response.headers["ETag"] = etag(note.version)
    return note


@router.delete("/v1/notes/{id}", status_code=204, summary="Delete a note")
@requires(NOTES_WRITE)
async def delete_note(note_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete an own note, or any with `notes:delete`.

    It can be restored for 30 days (`LEADFLOOD_LEAD_RETENTION_DAYS`).
    """
    await service.delete_note(unit.tx, unit.actor, note_id=note_id)


@router.post("/v1/notes/{id}/restorations", status_code=200, summary="Restore a deleted note")
@requires(NOTES_WRITE)
async def restore_note(note_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> NoteView:
    """Restore a note on its lead."""
    note = await service.restore_note(unit.tx, unit.actor, note_id=note_id)
    response.headers["ETag"] = etag(note.version)
    return note
