"""Tags and lists of imported leads: added after the leads are written, and removed by an undo."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.imports.contracts import ImportOptions
from leadflood.domains.imports.events import UNRELATE_IMPORT, ImportPayload
from leadflood.domains.imports.models.column_detection import DetectedColumn
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.store import StoredImport, related
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.service import lock_lead_ids
from leadflood.domains.lists import operations as lists
from leadflood.domains.lists.permissions import LISTS_WRITE
from leadflood.domains.tags import operations as tags
from leadflood.domains.tags.permissions import TAGS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

BATCH = 2_000


def require_related(actor: Actor, columns: Sequence[DetectedColumn], options: ImportOptions) -> None:
    """Raises: MissingPermission: the import adds tags or lists, which the actor may not."""
    targets = {column.target for column in columns}
    if Target.TAGS in targets or options.tags:
        actor.require(TAGS_WRITE)
    if Target.LISTS in targets or options.lists:
        actor.require(LISTS_WRITE)


async def relate_more(tx: Transaction, found: StoredImport) -> bool:
    """Add the tags and lists of the next rows to their leads. False when none is left.

    A lead of an unchanged row gets them, too. Names that don't exist are created while there is room for them.
    """
    options = found.options
    rows = await related.next_rows(tx, found, everything=bool(options.tags or options.lists), batch=BATCH)
    if not rows:
        return False
    active = await lock_lead_ids(tx, found.actor, lead_ids=sorted(row.lead_id for row in rows))
    kept = [row for row in rows if row.lead_id in active]
    tagged = await tags.add_by_name(
        tx, found.actor, {row.lead_id: [*options.tags, *_names(row.related, "tags")] for row in kept}
    )
    listed = await lists.add_by_name(
        tx, found.actor, {row.lead_id: [*options.lists, *_names(row.related, "lists")] for row in kept}
    )
    added: dict[int, Mapping[str, JsonValue]] = {
        row.row_no: {"tags": _texts(tagged.get(row.lead_id)), "lists": _texts(listed.get(row.lead_id))}
        for row in kept
        if row.lead_id in tagged or row.lead_id in listed
    }
    await related.set_added(tx, found, added, through=rows[-1].row_no)
    return True


async def request_removal(tx: Transaction, actor: Actor, found: StoredImport, trace: Mapping[str, str]) -> None:
    """Let a job remove the tags and lists that an import has added, if any."""
    if found.related_through:
        job = NewJob(UNRELATE_IMPORT, ImportPayload(import_id=found.id), found.id, trace)
        await jobs.enqueue(tx, actor, jobs=[job])


async def unrelate_more(tx: Transaction, actor: Actor, *, import_id: UUID, after: int) -> int | None:
    """Remove what the next rows have added from their leads. Returns the last row's number; None when none is left."""
    rows = await related.next_added(tx, actor.workspace_id, import_id, after=after, batch=BATCH)
    if not rows:
        return None
    await tags.remove_pairs(tx, actor, {row.lead_id: _ids(row.added, "tags") for row in rows})
    await lists.remove_pairs(tx, actor, {row.lead_id: _ids(row.added, "lists") for row in rows})
    await related.clear_added(tx, actor.workspace_id, import_id, [row.row_no for row in rows])
    return int(rows[-1].row_no)


def _names(stored: Mapping[str, Sequence[str]] | None, kind: str) -> Sequence[str]:
    return (stored or {}).get(kind, ())


def _texts(ids: Sequence[UUID] | None) -> list[JsonValue]:
    return [str(each) for each in ids or ()]


def _ids(added: Mapping[str, Sequence[str]], kind: str) -> list[UUID]:
    return [UUID(each) for each in added.get(kind, ())]
