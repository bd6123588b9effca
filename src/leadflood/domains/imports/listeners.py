"""Reactions to undone changesets, in the same transaction."""

from collections.abc import Sequence

from leadflood.domains.imports import store
from leadflood.domains.imports.events import IMPORT_UNDONE, ImportUndoneData
from leadflood.domains.imports.service import relating
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.events import ChangesetUndoneData
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


async def changeset_undone(tx: Transaction, events: Sequence[Event[ChangesetUndoneData]]) -> None:
    """Publish that the imports of these changesets are undone, and remove the tags and lists that they have added."""
    undone = [
        Event(event.data.import_id, ImportUndoneData(changeset_id=event.subject_id), event.actor, event.trace)
        for event in events
        if event.data.import_id is not None
    ]
    await publish(tx, IMPORT_UNDONE, undone)
    for event in undone:
        found = await store.lock(tx, event.actor.workspace_id, event.subject_id)
        if found is not None:
            await relating.request_removal(tx, event.actor, found, event.trace)
