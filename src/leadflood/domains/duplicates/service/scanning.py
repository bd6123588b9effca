"""Verbs of scans: request a scan, process its next part."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import ScanView
from leadflood.domains.duplicates.events import SCAN, SCAN_DUPLICATES, DuplicateAuditAction, ScanPayload
from leadflood.domains.duplicates.models import UNTRAINED, ComparedLead, Match, PersonKey, Weights, compare
from leadflood.domains.duplicates.models.training import SAMPLE, train
from leadflood.domains.duplicates.models.values import KINDS, ValueKind
from leadflood.domains.duplicates.store import comparison
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.fields import queries as fields
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db import planner
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id
from leadflood.kernel.threads import BoundedThreads

BATCH = 1000
NEIGHBOURS = 20
"""Maximum number of leads with the same key that a lead is compared with."""
_PAIRS: Final = 10_000
"""Maximum number of pairs whose leads are in memory together."""
_BEGINNINGS: Final = [*"05", *(first + second for first in ascii_lowercase for second in ("", "e", "j", "o", "s"))]
_OF_A_BEGINNING: Final = 40
COMPARING: Final = BoundedThreads("comparing leads", threads=1, queue=64)
"""A comparison of a batch takes about a second, during which leases must be renewed."""


async def request_scan(tx: Transaction, actor: Actor, *, trace: Mapping[str, str]) -> ScanView:
    """Start a scan of leads changed since the last one, or of all leads at first. Returns a running scan instead."""
    actor.require(LEADS_WRITE)
    started = await start_scan(tx, actor, trace=trace)
    scan = await queries.find_scan(tx, actor)
    if scan is None:
        raise Unavailable("The running scan was just removed. Try again.")
    if started is not None:
        data: dict[str, JsonValue] = {"jobId": str(started)}
        await audit.record(
            tx, actor, action=DuplicateAuditAction.SCAN_REQUESTED, subject_type=SCAN, subject_id=scan.id, data=data
        )
    return scan


async def start_scan(tx: Transaction, actor: Actor, *, trace: Mapping[str, str]) -> UUID | None:
    """Queue a scan. Returns the ID of its job; None if another scan is running."""
    scan_id = new_id()
    if not await store.insert_scan(tx, actor.workspace_id, scan_id):
        return None
    job = NewJob(SCAN_DUPLICATES, ScanPayload(scan_id=scan_id), scan_id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    await store.set_job(tx, actor.workspace_id, scan_id, job_id)
    return job_id


async def prepare(tx: Transaction, actor: Actor, *, scan: store.Scan) -> Weights:
    """Weights of a scan: those of the last scan, or new ones, in which case all leads are compared again.

    New weights are estimated in the first scan, when the number of leads has doubled, and when fields were defined.
    """
    await planner.apply(tx, planner.LOOKUPS)
    if scan.weights is not None:
        return Weights.read(scan.weights) or UNTRAINED
    kinds = await field_kinds(tx, actor)
    leads = await store.count_all(tx, actor.workspace_id)
    stored = await store.last_weights(tx, actor.workspace_id)
    last = None if stored is None else Weights.read(stored)
    if last is not None and last.fits(leads, kinds):
        await store.set_weights(tx, scan, last.stored(), whole=False)
        return last
    sample = await comparison.sample(
        tx, actor.workspace_id, beginnings=_BEGINNINGS, rows=_OF_A_BEGINNING, custom=[*map(_custom_key, kinds)]
    )
    trained = await COMPARING.run(train, sample[:SAMPLE], leads=leads, kinds=kinds)
    await store.set_weights(tx, scan, trained.stored(), whole=True)
    return trained


async def scan_more(
    tx: Transaction, actor: Actor, *, scan_id: UUID, weights: Weights = UNTRAINED, batch: int = BATCH
) -> int:
    """Compare the next leads of a running scan. Returns their number; none at the end.

    Idempotent: keys and candidates depend only on the current leads.
    """
    await planner.apply(tx, planner.LOOKUPS)
    custom = [_custom_key(name) for name in weights.fields if name.startswith(CUSTOM_FIELD)]
    scan = await store.lock(tx, actor.workspace_id, scan_id)
    part = None if scan is None else await comparison.next_batch(tx, scan, batch=batch, custom=custom)
    if scan is None or part is None:
        return 0
    people = await COMPARING.run(_people, part.leads, weights)
    keys = {lead_id: person.blocks(weights) for lead_id, person in people.items()}
    await comparison.replace_keys(tx, actor.workspace_id, keys)
    known = await comparison.open_pairs(tx, actor.workspace_id, list(keys))
    pairs = sorted({*await comparison.pairs(tx, actor.workspace_id, neighbours=NEIGHBOURS), *known})
    found: dict[tuple[UUID, UUID], Match] = {}
    for start in range(0, len(pairs), _PAIRS):
        chunk = pairs[start : start + _PAIRS]
        others = {lead_id for pair in chunk for lead_id in pair if lead_id not in people}
        active = await comparison.active_leads(tx, actor.workspace_id, list(others), custom=custom)
        found |= await COMPARING.run(_matches, chunk, people, active, weights)
    fresh = await comparison.save_pairs(tx, actor.workspace_id, found)
    await comparison.drop_pairs(tx, actor.workspace_id, [known[pair] for pair in known if pair not in found])
    await store.advance(tx, scan, part.last, scanned=len(part.leads), found=fresh)
    return len(part.leads)


async def delete_stale_keys(
    tx: Transaction, *, scan: store.Scan, after: store.ScanPosition | None
) -> store.ScanPosition | None:
    """Delete the keys of the next deleted leads, which would crowd out active ones.

    Keys of leads deleted before the last scan are already gone. Returns the position to continue from; None at the end.
    """
    await planner.apply(tx, planner.LOOKUPS)
    lead_ids, position = await store.next_deleted(tx, scan, after=after, batch=BATCH)
    if lead_ids:
        await comparison.delete_keys(tx, scan.workspace_id, lead_ids)
    return position


def _people(leads: Mapping[UUID, ComparedLead], weights: Weights) -> dict[UUID, PersonKey]:
    return {lead_id: PersonKey.of(lead, weights) for lead_id, lead in leads.items()}


def _matches(
    pairs: Sequence[tuple[UUID, UUID]],
    people: Mapping[UUID, PersonKey],
    others: Mapping[UUID, ComparedLead],
    weights: Weights,
) -> dict[tuple[UUID, UUID], Match]:
    """Matches of the pairs whose leads are both active."""
    known = {**people, **_people(others, weights)}
    found: dict[tuple[UUID, UUID], Match] = {}
    for one, two in pairs:
        match = compare(known[one], known[two], weights) if one in known and two in known else None
        if match is not None:
            found[one, two] = match
    return found


async def field_kinds(tx: Transaction, actor: Actor) -> dict[str, ValueKind]:
    """Comparison kinds of the catalog's fields and of the defined custom fields, by name."""
    kinds = {field.api_name: KINDS[field.type] for field in comparison.COMPARED_FIELDS if field.type in KINDS}
    defined = await fields.custom_fields(tx, actor.workspace_id, subject=LEAD)
    custom = {f"{CUSTOM_FIELD}{key}": KINDS[field.type] for key, field in defined.items() if field.type in KINDS}
    return kinds | custom


def _custom_key(name: str) -> str:
    return name.removeprefix(CUSTOM_FIELD)
