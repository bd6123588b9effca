"""The rows of a file become staged rows, each with what it would do."""

from collections.abc import Mapping
from itertools import chain
from uuid import UUID

from sqlalchemy import func

from leadflood.domains.identity import queries as identity
from leadflood.domains.imports import store
from leadflood.domains.imports.contracts import ImportOptions, options_of
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.imports.service.reading import Batch
from leadflood.domains.imports.store import staging
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

_PAGE = 200


async def owners(tx: Transaction, actor: Actor) -> dict[str, UUID]:
    """The members of the workspace, by id and by address, in lower case."""
    found: dict[str, UUID] = {}
    after = None
    while True:
        page = await identity.list_members(tx, actor, after=after, limit=_PAGE)
        for member in page.items:
            found[str(member.id)] = found[member.email.lower()] = member.id
        if page.after is None:
            return found
        after = page.after


async def hand_over(tx: Transaction, batch: Batch) -> None:
    """Send one batch to PostgreSQL, for `stage_batch` in the same transaction."""
    await staging.hand_over(tx, batch[0])


async def stage_batch(tx: Transaction, actor: Actor, row: Row, batch: Batch) -> None:
    """Stage what was handed over of an import that this transaction holds, and count what its rows would do."""
    records, faults, position = batch
    rules = rules_of(options_of(row.options))
    judged = await staging.judge_rows(tx, actor.workspace_id, row.id, rules, first=records[0][0])
    fields = {name: dict(each) for name, each in row.fields.items()}
    for what, counter in (("changed", judged.changed), ("kept", judged.kept)):
        for name, count in counter.items():
            fields.setdefault(name, {})[what] = fields.get(name, {}).get(what, 0) + count
    await store.set_fields(
        tx,
        actor.workspace_id,
        row.id,
        staged_through=records[-1][0],
        staged_bytes=position,
        row_count=row.row_count + len(records),
        counts=_added(row.counts, judged.actions),
        fields=fields,
        faults=_added(row.faults, faults),
    )


async def finish_staging(tx: Transaction, actor: Actor, row: Row) -> None:
    """All rows are staged: the import is `previewed`."""
    staging_, previewed = ImportStatus.STAGING, ImportStatus.PREVIEWED
    values = {"staged_bytes": row.size_bytes, "finished_at": func.now()}
    await store.move(tx, actor.workspace_id, row.id, expected=[staging_], status=previewed, **values)


def rules_of(options: ImportOptions) -> staging.Rules:
    """What decides what rows do."""
    policies = {column: options.fields.get(name, options.existing) for column, name in API_NAMES.items()}
    return staging.Rules(options.mode, options.duplicates, policies)


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in [*dict.fromkeys(chain(counts, more))]}
