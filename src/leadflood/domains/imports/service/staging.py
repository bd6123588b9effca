"""The rows of a file become staged rows, each with what it would do."""

from collections.abc import Mapping
from itertools import chain
from uuid import UUID

from leadflood.domains.identity import queries as identity
from leadflood.domains.imports import store
from leadflood.domains.imports.contracts import ImportOptions
from leadflood.domains.imports.models.fields import API_NAMES
from leadflood.domains.imports.service.sandboxed_parser import Batch
from leadflood.domains.imports.store import StoredImport, staging
from leadflood.kernel.actor import Actor
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


async def stage_batch(tx: Transaction, found: StoredImport, batch: Batch) -> None:
    """Stage a batch of an import that this transaction has locked, and count what its rows would do."""
    records, faults, position = batch
    await staging.load_rows(tx, records)
    judged = await staging.decide_rows(tx, found, rules_of(found.options), first=records[0][0])
    fields = {name: dict(each) for name, each in found.fields.items()}
    for what, counter in (("changed", judged.changed), ("kept", judged.kept)):
        for name, count in counter.items():
            fields.setdefault(name, {})[what] = fields.get(name, {}).get(what, 0) + count
    await store.set_staged(
        tx,
        found,
        through=records[-1][0],
        position=position,
        rows=found.row_count + len(records),
        counts=_added(found.counts, judged.actions),
        fields=fields,
        faults=_added(found.faults, faults),
    )


def rules_of(options: ImportOptions) -> staging.StagingRules:
    """What decides what rows do."""
    policies = {column: options.fields.get(name, options.existing) for column, name in API_NAMES.items()}
    return staging.StagingRules(options.mode, options.duplicates, policies)


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in [*dict.fromkeys(chain(counts, more))]}
