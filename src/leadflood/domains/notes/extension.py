"""Extension of leads by notes: a panel, and a filter."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.identity import queries as identity
from leadflood.domains.notes import queries
from leadflood.domains.notes.contracts import NoteView
from leadflood.domains.notes.models import MAX_TEXT
from leadflood.domains.notes.permissions import NOTES_DELETE, NOTES_READ, NOTES_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

SHOWN: Final = 20
"""Notes in the panel of a lead."""
FILTERS: Final = (
    FilterField(
        "notedAt",
        "Note written",
        Kind.TIME,
        Column("created_at", sql("related.created_at")),
        Relation(
            "active_lead_notes",
            sql("""
EXISTS (SELECT FROM active_lead_notes related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
    ),
)


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    found = await queries.notes_of(tx, actor, lead_id=lead_id, limit=SHOWN)
    deletes_all = {NOTES_WRITE, NOTES_DELETE} <= actor.permissions
    authors = [note.author.id for note in found.items if note.author.id]
    return {
        "notes": found.items,
        "more": found.after is not None,
        "names": await identity.actor_names(tx, actor, authors),
        "editable": {note.id for note in found.items if _may_edit(actor, note)},
        "deletable": {note.id for note in found.items if _may_edit(actor, note) or deletes_all},
        "most": MAX_TEXT,
    }


def _may_edit(actor: Actor, note: NoteView) -> bool:
    return NOTES_WRITE in actor.permissions and (note.author.kind, note.author.id) == (actor.kind, actor.id)


EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="notes",
            title="Notes",
            template="notes/_panel.html",
            load=_load_panel,
            permission=NOTES_READ,
            order=50,
        ),
    ),
)
