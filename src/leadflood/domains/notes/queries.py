"""SQL that reads notes."""

from collections.abc import Collection
from uuid import UUID

from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.notes.contracts import NoteView
from leadflood.domains.notes.errors import NoteNotFound
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

_COLUMNS = sql("n.id, n.lead_id, n.text, n.author_kind, n.author_id, n.version, n.created_at, n.edited_at")

# The next notes of a lead, newest first.
_OF_LEAD = assemble(
    sql("""
SELECT {columns} FROM lead_notes n
WHERE n.workspace_id = :workspace_id AND n.lead_id = :lead_id AND n.deleted_at IS NULL
  AND (:after_id::uuid IS NULL OR (n.created_at, n.id) < (:after, :after_id))
ORDER BY n.created_at DESC, n.id DESC LIMIT :limit
"""),
    columns=_COLUMNS,
)

# A note of an active lead.
_NOTE = assemble(
    sql("""
SELECT {columns} FROM lead_notes n JOIN leads l ON l.workspace_id = n.workspace_id AND l.id = n.lead_id
WHERE n.workspace_id = :workspace_id AND n.id = :note_id AND n.deleted_at IS NULL AND l.deleted_at IS NULL
"""),
    columns=_COLUMNS,
)

# The texts of notes that are not deleted.
_TEXTS = sql("""
SELECT id, text FROM lead_notes
WHERE workspace_id = :workspace_id AND id = ANY (:note_ids::uuid[]) AND deleted_at IS NULL
""")


async def get_note(tx: Transaction, actor: Actor, *, note_id: UUID) -> NoteView:
    """Raises: NoteNotFound: also for a deleted note, and for one of a deleted lead."""
    row = await tx.first(_NOTE, {"workspace_id": actor.workspace_id, "note_id": note_id})
    if row is None:
        raise NoteNotFound
    return _view(row)


async def list_notes(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[NoteView]:
    """The notes of a lead, newest first. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    return await notes_of(tx, actor, lead_id=lead_id, after=after, limit=limit)


async def notes_of(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[NoteView]:
    """As `list_notes`, for a lead that is known to exist."""
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "after": after.time if after else None,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    return cut(await tx.all(_OF_LEAD, values), limit, lambda row: Position.at(row.created_at, row.id)).map(_view)


async def texts_of(tx: Transaction, actor: Actor, *, note_ids: Collection[UUID]) -> dict[str, str]:
    """The texts of notes by ID, without those that are deleted."""
    if not note_ids:
        return {}
    rows = await tx.all(_TEXTS, {"workspace_id": actor.workspace_id, "note_ids": sorted(note_ids)})
    return {str(row.id): row.text for row in rows}


def _view(row: Row) -> NoteView:
    return NoteView(
        id=row.id,
        lead_id=row.lead_id,
        text=row.text,
        author=ActorView(kind=ActorKind(row.author_kind), id=row.author_id),
        version=row.version,
        created_at=row.created_at,
        edited_at=row.edited_at,
    )
