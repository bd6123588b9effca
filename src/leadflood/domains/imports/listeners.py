"""Reactions to undone changesets, in the same transaction."""

from collections.abc import Sequence

from leadflood.domains.imports.events import IMPORT_UNDONE, ImportUndoneData
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.events import ChangesetUndoneData
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


async def changeset_undone(tx: Transaction, events: Sequence[Event[ChangesetUndoneData]]) -> None:
    """Publish that the imports of these changesets are undone."""
    undone = [
        Event(event.data.import_id, ImportUndoneData(changeset_id=event.subject_id), event.actor, event.trace)
        for event in events
        if event.data.import_id is not None
    ]
    await publish(tx, IMPORT_UNDONE, undone)
