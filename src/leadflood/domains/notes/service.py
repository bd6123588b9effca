"""Verbs on notes."""

from collections.abc import Collection
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.notes import queries, store
from leadflood.domains.notes.contracts import NoteView, WriteNote
from leadflood.domains.notes.errors import NoteNotFound, NoteVersionConflict, NotTheAuthor
from leadflood.domains.notes.events import (
    NOTE,
    NOTE_CREATED,
    NOTE_DELETED,
    NOTE_RESTORED,
    NOTE_UPDATED,
    NOTED_KIND,
    NoteAuditAction,
    NoteData,
)
from leadflood.domains.notes.permissions import NOTES_DELETE, NOTES_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event, EventType
from leadflood.kernel.ids import new_id


async def add_note(tx: Transaction, actor: Actor, *, lead_id: UUID, command: WriteNote) -> NoteView:
    """Write a note on a lead. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    actor.require(NOTES_WRITE)
    if not await leads.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    note_id = new_id()
    await store.insert_note(tx, actor, note_id, lead_id, command.text)
    await leads.add_to_timelines(tx, actor, lead_ids=[lead_id], kind=NOTED_KIND, data={"noteId": str(note_id)})
    await _record(tx, actor, NOTE_CREATED, NoteAuditAction.CREATED, note_id, lead_id)
    return await queries.get_note(tx, actor, note_id=note_id)


async def update_note(
    tx: Transaction, actor: Actor, *, note_id: UUID, command: WriteNote, expected_version: int
) -> NoteView:
    """Replace the text of an own note. Raises: NoteNotFound, NotTheAuthor, NoteVersionConflict."""
    actor.require(NOTES_WRITE)
    stored = await _lock(tx, actor, note_id)
    if not _is_author(actor, stored):
        raise NotTheAuthor
    if stored.version != expected_version:
        raise NoteVersionConflict(stored.version)
    if stored.text != command.text:
        expect_changed(
            await store.update_note(
                tx, actor.workspace_id, note_id, expected_version=expected_version, text=command.text
            )
        )
        await _record(tx, actor, NOTE_UPDATED, NoteAuditAction.UPDATED, note_id, stored.lead_id)
    return await queries.get_note(tx, actor, note_id=note_id)


async def delete_note(tx: Transaction, actor: Actor, *, note_id: UUID) -> NoteView:
    """Delete an own note, or with `notes:delete` any. It can be restored. Returns it as it was.

    Raises: NoteNotFound, NotTheAuthor.
    """
    actor.require(NOTES_WRITE)
    stored = await _lock(tx, actor, note_id)
    _require_author(actor, stored)
    found = await queries.get_note(tx, actor, note_id=note_id)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, note_id, deleted=True))
    await _record(tx, actor, NOTE_DELETED, NoteAuditAction.DELETED, note_id, stored.lead_id)
    return found


async def restore_note(tx: Transaction, actor: Actor, *, note_id: UUID) -> NoteView:
    """Restore a deleted note. One that is not deleted stays as it is. Raises: NoteNotFound, NotTheAuthor."""
    actor.require(NOTES_WRITE)
    stored = await _lock(tx, actor, note_id, {False, True})
    _require_author(actor, stored)
    if stored.deleted_at is not None:
        expect_changed(await store.set_deleted(tx, actor.workspace_id, note_id, deleted=False))
        await _record(tx, actor, NOTE_RESTORED, NoteAuditAction.RESTORED, note_id, stored.lead_id)
    return await queries.get_note(tx, actor, note_id=note_id)


async def _lock(tx: Transaction, actor: Actor, note_id: UUID, states: Collection[bool] = (False,)) -> Row:
    """A locked note. `states`: whether it may be deleted. Raises: NoteNotFound."""
    stored = await store.lock_note(tx, actor.workspace_id, note_id)
    if stored is None or (stored.deleted_at is not None) not in states:
        raise NoteNotFound
    return stored


def _is_author(actor: Actor, stored: Row) -> bool:
    return (stored.author_kind, stored.author_id) == (actor.kind, actor.id)


def _require_author(actor: Actor, stored: Row) -> None:
    """Raises: NotTheAuthor: the note is another one's, and the actor can't delete notes of others."""
    if not _is_author(actor, stored) and NOTES_DELETE not in actor.permissions:
        raise NotTheAuthor


async def _record(
    tx: Transaction,
    actor: Actor,
    event: EventType[NoteData],
    action: NoteAuditAction,
    note_id: UUID,
    lead_id: UUID,
) -> None:
    await publish(tx, event, [Event(note_id, NoteData(lead_id=lead_id), actor)])
    data: dict[str, JsonValue] = {"count": 1, "leadId": str(lead_id)}
    await audit.record(tx, actor, action=action, subject_type=NOTE, subject_id=note_id, data=data)
