"""Staging: rows of a file with their planned actions."""

from collections.abc import Mapping
from itertools import chain

from leadflood.domains.fields import queries as fields
from leadflood.domains.identity import queries as identity
from leadflood.domains.imports import store
from leadflood.domains.imports.contracts import ImportOptions
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.service.sandboxed_parser import KnownValues, RowBatch
from leadflood.domains.imports.store import StoredImport, staging
from leadflood.domains.leads.events import LEAD
from leadflood.domains.stages import queries as stages
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def known_values(tx: Transaction, actor: Actor) -> KnownValues:
    """Lookup values for parsing cells: members, definitions of custom fields, and stages of the workspace."""
    return KnownValues(
        await identity.members_by_name(tx, actor.workspace_id),
        await fields.custom_fields(tx, actor.workspace_id, subject=LEAD),
        await stages.stages_of(tx, actor.workspace_id),
    )


async def stage_batch(tx: Transaction, found: StoredImport, batch: RowBatch) -> None:
    """Stage a batch of an import that this transaction has locked, and count what its rows would do."""
    records = batch.records
    await staging.load_rows(tx, records)
    staged = await staging.decide_rows(tx, found, rules_of(found.options), first=records[0][0])
    fields = {name: dict(field) for name, field in found.fields.items()}
    for what, counter in (("changed", staged.changed), ("kept", staged.kept)):
        for name, count in counter.items():
            fields.setdefault(name, {})[what] = fields.get(name, {}).get(what, 0) + count
    so_far = store.StagedSoFar(
        through=records[-1][0],
        position=batch.position,
        rows=found.row_count + len(records),
        counts=_added(found.counts, staged.actions),
        fields=fields,
        faults=_added(_added(found.faults, batch.faults), staged.faults),
        filled=sorted({*found.filled, *batch.filled}),
    )
    await store.set_staged(tx, found, so_far)


def rules_of(options: ImportOptions) -> staging.StagingRules:
    """The rules that decide the actions of rows."""
    policies = {column: options.fields.get(name, options.existing) for column, name in API_NAMES.items()}
    return staging.StagingRules(options.mode, options.duplicates, options.invalid, policies)


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in [*dict.fromkeys(chain(counts, more))]}
